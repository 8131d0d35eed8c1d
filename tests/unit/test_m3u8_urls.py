"""Joining addresses (RFC 3986 section 5.4 and a few more), and variables in them."""

from __future__ import annotations

import pytest

from ouzel.base.errors import FormatError
from ouzel.formats.m3u8 import MasterPlaylist, MediaPlaylist, parse
from ouzel.formats.m3u8.urls import join

BASE = "http://a/b/c/d;p?q"

RFC_3986 = {
    "g:h": "g:h",
    "g": "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q#s",
    "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s",
    ";x": "http://a/b/c/;x",
    "g;x": "http://a/b/c/g;x",
    "g;x?y#s": "http://a/b/c/g;x?y#s",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../": "http://a/",
    "../../g": "http://a/g",
    "../../../g": "http://a/g",
    "../../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g",
    "g..": "http://a/b/c/g..",
    "..g": "http://a/b/c/..g",
    "./../g": "http://a/b/g",
    "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h",
    "g/../h": "http://a/b/c/h",
    "g;x=1/./y": "http://a/b/c/g;x=1/y",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/./x": "http://a/b/c/g?y/./x",
    "g?y/../x": "http://a/b/c/g?y/../x",
    "g#s/./x": "http://a/b/c/g#s/./x",
    "g#s/../x": "http://a/b/c/g#s/../x",
}


@pytest.mark.parametrize(("reference", "target"), RFC_3986.items())
def test_the_examples_of_rfc_3986(reference: str, target: str) -> None:
    assert join(BASE, reference) == target


@pytest.mark.parametrize(
    ("base", "reference", "target"),
    [
        ("https://h/a//b/x.m3u8", "1.ts", "https://h/a//b/1.ts"),  # an empty path element may be part of a signature
        ("https://h/a/b/x.m3u8", "c//1.ts", "https://h/a/b/c//1.ts"),
        ("https://h", "1.ts", "https://h/1.ts"),
        ("https://h?q", "1.ts", "https://h/1.ts"),
        ("https://h/a/../b/x.m3u8", "1.ts", "https://h/b/1.ts"),
        ("https://h/x.m3u8", "12:30:00.ts", "https://h/12:30:00.ts"),
        ("https://h/x.m3u8", "http://[::1/1.ts", "http://[::1/1.ts"),
        ("https://h/x.m3u8", "HTTPS://other/1.ts", "HTTPS://other/1.ts"),
        ("https://h/x.m3u8", "//other/a/../1.ts?q", "https://other/1.ts?q"),
        ("https://h/x.m3u8", "data:text/plain,a", "data:text/plain,a"),
        ("https://h/p/x.m3u8?url=http://z/y/", "1.ts?u=../a", "https://h/p/1.ts?u=../a"),
        ("", "../1.ts", "../1.ts"),
    ],
)
def test_joining_in_a_playlist(base: str, reference: str, target: str) -> None:
    assert join(base, reference) == target
    playlist = parse(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{reference}\n", base_url=base)
    assert isinstance(playlist, MediaPlaylist)
    assert playlist.segments[0].uri == target


HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


def media(text: str, *, url: str = "https://h/x.m3u8?token=a%2Bb+c&empty=&flag", **variables: str) -> MediaPlaylist:
    playlist = parse(HEAD + text, base_url=url, variables=variables)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def test_variables_are_put_into_addresses_and_attributes() -> None:
    playlist = media(
        '#EXT-X-DEFINE:NAME="dir",VALUE="v/{$}"\n'  # `{$}` is no reference
        '#EXT-X-DEFINE:NAME="iv",VALUE="0F"\n'
        '#EXT-X-DEFINE:NAME="sub",VALUE="{$dir}s"\n'
        '#EXT-X-DEFINE:NAME="none",VALUE=""\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="{$dir}k",IV=0x{$iv}\n'
        "#EXTINF:4,{$dir}\n"
        "{$sub}/{$none}1.ts\n"
    )
    segment = playlist.segments[0]
    assert segment.uri == "https://h/v/{$}s/1.ts"
    assert segment.title == "{$dir}"  # a title is no place for variables
    assert segment.key is not None
    assert (segment.key.uri, segment.key.iv) == ("https://h/v/{$}k", (15).to_bytes(16, "big"))
    assert dict(playlist.variables) == {"dir": "v/{$}", "iv": "0F", "sub": "v/{$}s", "none": ""}


def test_a_variable_may_come_from_the_query_or_from_the_master() -> None:
    playlist = media(
        '#EXT-X-DEFINE:QUERYPARAM="token"\n#EXT-X-DEFINE:IMPORT="edge"\n#EXTINF:4,\n{$edge}/1.ts?t={$token}\n',
        edge="https://edge",
    )
    assert playlist.segments[0].uri == "https://edge/1.ts?t=a+b+c"  # percent-decoded; a plus stays a plus


def test_what_the_master_defined_reaches_its_media_playlists() -> None:
    master = parse(
        '#EXTM3U\n#EXT-X-DEFINE:NAME="edge",VALUE="https://edge"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$edge}/v.m3u8\n',
        base_url="https://h/master.m3u8",
    )
    assert isinstance(master, MasterPlaylist)
    assert master.variants[0].uri == "https://edge/v.m3u8"
    playlist = media('#EXT-X-DEFINE:IMPORT="edge"\n#EXTINF:4,\n{$edge}/1.ts\n', **dict(master.variables))
    assert playlist.segments[0].uri == "https://edge/1.ts"


@pytest.mark.parametrize(
    "text",
    [
        '#EXT-X-DEFINE:QUERYPARAM="missing"\n',
        '#EXT-X-DEFINE:QUERYPARAM="flag"\n',
        '#EXTINF:4,\n{$late}.ts\n#EXT-X-DEFINE:NAME="late",VALUE="1"\n',
        '#EXT-X-DEFINE:NAME="a",VALUE="{"\n#EXT-X-DEFINE:NAME="b",VALUE="$a}"\n#EXTINF:4,\n{$a}{$b}.ts\n',
        '#EXT-X-DEFINE:NAME="a",VALUE=""\n#EXTINF:4,\n{$a}\n',
        '#EXT-X-DEFINE:NAME="a",VALUE="#EXTINF:4,"\n#EXTINF:4,\n{$a}\n',
    ],
    ids=["missing", "no value", "too late", "new reference", "nothing left", "a tag"],
)
def test_variables_that_do_not_work_out(text: str) -> None:
    with pytest.raises(FormatError):
        media(text)


@pytest.mark.parametrize("value", ["%22", "a%0Ab", "%7B%24token%7D"])
def test_a_query_cannot_smuggle_in_quotes_lines_or_references(value: str) -> None:
    with pytest.raises(FormatError):
        media('#EXT-X-DEFINE:QUERYPARAM="token"\n#EXTINF:4,\n{$token}.ts\n', url=f"https://h/x.m3u8?token={value}")
