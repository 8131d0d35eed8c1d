"""Addresses: the short way of the reader says what the long one says."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ouzel.base import urls
from ouzel.base.errors import BadUrl, SchemeRefused
from ouzel.base.urls import HTTP_SCHEMES, Url

NEVER = re.compile(r"(?!)")
HOSTS = st.one_of(
    st.sampled_from(["127.1", "0x7f.1", "host", "a-b.example", "-bad.example", "1.2.3.4.5", "x..y", ".", "host."]),
    st.text("abz09.-_", min_size=1, max_size=12),
)
PORTS = st.one_of(st.just(""), st.just(":"), st.integers(0, 99999).map(lambda port: f":{port}"), st.just(":080"))
TARGETS = st.text("/?#@:;&=%+~.,!$'()*[]\\\"<> aZ09é", max_size=20)


def read(text: str) -> Url | str:
    try:
        return urls._parse.__wrapped__(text, HTTP_SCHEMES)
    except (BadUrl, SchemeRefused) as exc:
        return f"{exc.code}: {exc}"


@given(st.sampled_from(["http", "https", "HTTP", "ftp"]), HOSTS, PORTS, TARGETS)
@example("http", "host", "", "/a?")
@example("http", "host", ":80", "//a/../b?c=d?e")
@example("https", "127.1", "", "/")
def test_an_ordinary_address_is_read_like_any_other(scheme: str, host: str, port: str, target: str) -> None:
    text = f"{scheme}://{host}{port}{target}"
    short = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "_ORDINARY", NEVER)
        assert short == read(text)


def test_the_short_way_is_taken_for_what_is_ordinary() -> None:
    assert urls._ORDINARY.fullmatch("http://cdn.example:41234/live/a-b_c~1/seg-000001.ts?sign=Ab%2F+9&t=1;x")
