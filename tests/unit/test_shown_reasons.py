"""What people are shown when a library fails: plain words. Its own are for who wants to see the evidence."""

from __future__ import annotations

import pytest

from ouzel.base.errors import (
    ConnectFailed,
    ConnectionLost,
    HostNotFound,
    NetworkError,
    ResolverFailed,
    SiteChanged,
    Stalled,
    TlsFailed,
)
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import ask
from ouzel.platforms.contract import Match, Options, Platform
from ouzel.platforms.watch import Watch

URL = "https://api.example.org/rooms?token=abcdef"
TAIL = "See https://curl.se/libcurl/c/libcurl-errors.html first for more details."


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            f"Failed to perform, curl: (7) Failed to connect to api.example.org port 443 after 1 ms. {TAIL}",
            ConnectFailed,
        ),
        (f"Failed to perform, curl: (6) Could not resolve host: api.example.org. {TAIL}", HostNotFound),
        (f"Failed to perform, curl: (28) Operation timed out after 20000 milliseconds. {TAIL}", Stalled),
        (
            "HTTPSConnectionPool(host='api.example.org', port=443): SSLCertVerificationError(1, 'certificate')",
            TlsFailed,
        ),
        ("('Connection aborted.', RemoteDisconnected('Remote end closed'))", ConnectionLost),
    ],
)
def test_a_failed_request_is_told_without_the_words_of_a_library(said: str, kind: type[NetworkError]) -> None:
    watch = Watch()
    error = watch.failed("GET", URL, OSError(said))
    assert type(error) is kind
    assert str(error).startswith("api.example.org: ")
    for word in ("curl", "Error", "Connection", "HTTPS", "("):
        assert word not in str(error)
    assert watch.evidence[0].why.startswith(f"OSError: {said}"[:100])
    assert "abcdef" not in repr(watch.evidence)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_request_that_never_left_says_nothing_of_the_way_there(wrapped: bool) -> None:
    cause = UnicodeEncodeError("latin-1", "某", 0, 1, "ordinal not in range(256)")
    error: Exception = cause
    if wrapped:
        error = OSError("HTTP Error")
        error.__cause__ = cause
    assert type(Watch().failed("GET", URL, error)) is ResolverFailed


class Stumbling:
    name = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> None:
        raise KeyError("data")


def test_an_exception_is_told_without_its_name() -> None:
    shop = Platform("shop", "Shop", "商店", ("shop.example/{user}",), "https://shop.example/a", ("own",))
    told = ask("own", lambda name, match: Stumbling(), Match(shop, shop.example, {"user": "a"}), Options())  # type: ignore[arg-type,return-value]
    assert isinstance(told.outcome, SiteChanged)
    assert str(told.outcome) == "own does not understand what it was told"
    assert told.outcome.context["words"] == "KeyError: 'data'"
