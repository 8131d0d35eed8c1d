"""Which of a stream's headers may go where."""

from __future__ import annotations

import pytest

from ouzel.model.stream import Stream

PLAIN = (("Referer", "https://page.example/"), ("User-Agent", "x"))
PRIVATE = (("Authorization", "Bearer secret"), ("cookie", "a=b"), ("Host", "other"))
HOME = "https://live.example:8443/show/index.m3u8?token=1"


@pytest.mark.parametrize(
    ("url", "all_of_them"),
    [
        (HOME, True),
        ("https://live.example:8443/show/seg1.ts", True),
        ("https://live.example/show/seg1.ts", True),
        ("https://LIVE.example/show/seg1.ts", True),
        ("https://cdn.live.example/seg1.ts", True),
        ("http://live.example:8443/seg1.ts", False),
        ("https://cdn.example/seg1.ts", False),
        ("https://example/seg1.ts", False),
        ("https://notlive.example/seg1.ts", False),
        ("https://live.example.evil.example/seg1.ts", False),
        ("https://evil.example/live.example/seg1.ts", False),
        ("https://live.example@evil.example/seg1.ts", False),
    ],
)
def test_what_proves_who_we_are_stays_at_home(url: str, all_of_them: bool) -> None:
    stream = Stream(HOME, PLAIN + PRIVATE)
    assert stream.headers_for(url) == (PLAIN + PRIVATE if all_of_them else PLAIN)


def test_a_clear_address_may_lead_to_a_secret_one() -> None:
    stream = Stream("http://live.example/index.m3u8", PRIVATE)
    assert stream.headers_for("https://live.example/seg1.ts") == PRIVATE
