"""The clock by which a node judges its lease."""

from __future__ import annotations

import sys
import time

import pytest

from ouzel.system.clock import awake_or_not_s


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere there may be no clock that counts while the machine sleeps"
)
def test_it_counts_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def answer(clock: int) -> float:
        asked.append(clock)
        return 12.0

    monkeypatch.setattr(time, "clock_gettime", answer)
    assert (awake_or_not_s(), asked) == (12.0, [time.CLOCK_BOOTTIME])


def test_where_there_is_none_it_only_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = time.monotonic()
    assert awake_or_not_s() >= before
