"""How often one may try to sign in."""

from __future__ import annotations

import pytest

from ouzel.base.errors import TooManyAttempts
from ouzel.services.attempts import Attempts, network_of
from ouzel.testing.clock import FakeClock


def test_after_so_many_one_has_to_wait_until_the_first_is_long_ago() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, most=3, window_s=60)
    for _ in range(3):
        attempts.begin(["a"])
        clock.advance(10)

    with pytest.raises(TooManyAttempts) as told:
        attempts.begin(["a"])
    assert told.value.retry_after_s == 30
    attempts.begin(["b"])
    clock.advance(30)
    attempts.begin(["a"])
    with pytest.raises(TooManyAttempts):
        attempts.begin(["a"])


def test_one_that_succeeded_does_not_count_but_those_before_do() -> None:
    attempts = Attempts(FakeClock(), most=2, window_s=60)
    attempts.begin(["a"])
    for _ in range(5):
        attempts.begin(["a"])
        attempts.succeeded(["a"])

    attempts.begin(["a"])
    with pytest.raises(TooManyAttempts):
        attempts.begin(["a"])


def test_what_is_refused_for_one_key_counts_for_none() -> None:
    attempts = Attempts(FakeClock(), most=1, window_s=60)
    attempts.begin(["a"])
    with pytest.raises(TooManyAttempts):
        attempts.begin(["b", "a"])

    attempts.begin(["b"])


def test_memory_is_bounded_by_forgetting_who_was_quiet_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ouzel.services.attempts._REMEMBERED", 10)
    attempts = Attempts(FakeClock(), most=1, window_s=60)
    for number in range(11):
        attempts.begin([str(number)])

    attempts.begin(["0"])
    with pytest.raises(TooManyAttempts):
        attempts.begin(["10"])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_an_ipv6_subscriber_is_one(address: str, network: str) -> None:
    assert network_of(address) == network
