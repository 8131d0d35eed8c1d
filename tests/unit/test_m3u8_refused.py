"""What is refused, how, and that nothing hostile costs much."""

from __future__ import annotations

from pathlib import Path

import pytest

from ouzel.base.errors import FormatError, NotMedia, TooLarge
from ouzel.formats.m3u8 import Limits, is_playlist, parse

DATA = Path(__file__).parents[1] / "data" / "m3u8"
URL = "https://cdn.example.com/live/index.m3u8"
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


@pytest.mark.parametrize(
    "name", ["refused_page.html", "refused_empty.m3u8", "refused_text.m3u8", "refused_nul.m3u8", "refused_ts.m3u8"]
)
def test_what_is_no_playlist(name: str) -> None:
    data = (DATA / name).read_bytes()
    with pytest.raises(NotMedia):
        parse(data, base_url=URL)
    assert not is_playlist(data)


def test_the_beginning_is_shown_and_made_safe() -> None:
    with pytest.raises(NotMedia, match="HTML"):
        parse("<html>\x1b[2J", base_url=URL)
    with pytest.raises(NotMedia) as caught:
        parse("\x1b]0;evil\x07\u202egnp." + "x" * 500, base_url=URL)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200


def test_a_channel_list_is_not_recorded_as_if_it_were_one_stream() -> None:
    with pytest.raises(NotMedia, match="channels") as caught:
        parse((DATA / "channel_list.m3u8").read_bytes(), base_url=URL)
    assert caught.value.context == {"entries": 2}


@pytest.mark.parametrize(
    ("name", "line"),
    [("key", 3), ("byte_range", 3), ("both", 2), ("undefined", 4), ("define_twice", 4)],
)
def test_malformed_beyond_use(name: str, line: int) -> None:
    with pytest.raises(FormatError, match=f"line {line}:") as caught:
        parse((DATA / f"refused_{name}.m3u8").read_bytes(), base_url=URL)
    assert caught.value.context["line"] == line


@pytest.mark.parametrize(
    "line",
    [
        "#EXT-X-KEY:URI=k",
        "#EXT-X-KEY:",
        "#EXT-X-KEY:METHOD=AES-128,URI=k,IV=xyz",
        "#EXT-X-KEY:METHOD=AES-128,URI=k,IV=0x" + "1" * 33,
        "#EXT-X-MAP:",
        "#EXT-X-MAP:URI=m,BYTERANGE=a@b",
        "#EXT-X-BYTERANGE:",
        "#EXT-X-BYTERANGE:-1@0",
        "#EXT-X-BYTERANGE:1@-1",
        "#EXT-X-SKIP:",
        "#EXT-X-SKIP:SKIPPED-SEGMENTS=-1",
        "#EXT-X-STREAM-INF:BANDWIDTH=1",
        "#EXT-X-DEFINE:VALUE=1",
        '#EXT-X-DEFINE:NAME="a"',
        '#EXT-X-DEFINE:NAME="a b",VALUE="1"',
        '#EXT-X-DEFINE:NAME="a",IMPORT="a",VALUE="1"',
        '#EXT-X-DEFINE:IMPORT="a"',
        '#EXT-X-DEFINE:QUERYPARAM="a"',
    ],
)
def test_lines_that_cannot_be_passed_over(line: str) -> None:
    with pytest.raises(FormatError, match="line 3:"):
        parse(f"{HEAD}{line}\n#EXTINF:4,\na.ts\n", base_url=URL)


def test_a_second_or_late_skip_is_refused() -> None:
    skip = "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n"
    with pytest.raises(FormatError, match="line 4:"):
        parse(f"{HEAD}{skip}{skip}#EXTINF:4,\na.ts\n", base_url=URL)
    with pytest.raises(FormatError, match="line 5:"):
        parse(f"{HEAD}#EXTINF:4,\na.ts\n{skip}", base_url=URL)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (HEAD + "#" * 100, Limits(size_bytes=50)),
        (HEAD + "\n" * 100, Limits(lines=50)),
        (HEAD + "#" * 100, Limits(line_length=50)),
        (HEAD + "#EXTINF:4,\na.ts\n" * 11, Limits(segments=10)),
        ("#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n" * 11, Limits(variants=10)),
        ("#EXTM3U\n" + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=a,NAME=b\n" * 11, Limits(variants=10)),
        (HEAD + '#EXT-X-DEFINE:NAME="a",VALUE="0123456789"\n#EXTINF:4,\n' + "{$a}" * 11, Limits(expansion=100)),
    ],
    ids=["size", "lines", "line", "segments", "variants", "renditions", "expansion"],
)
def test_limits(text: str, limits: Limits) -> None:
    parse(text, base_url=URL)
    with pytest.raises(TooLarge):
        parse(text, base_url=URL, limits=limits)


@pytest.mark.parametrize("before", range(12))
def test_the_length_of_a_line_is_measured_wherever_it_stands(before: int) -> None:
    text = "#EXTM3U\n" + "#\n" * before + "#" * 10 + "\n"
    parse(text, base_url=URL, limits=Limits(line_length=10))
    with pytest.raises(TooLarge):
        parse(text, base_url=URL, limits=Limits(line_length=9))


def test_a_doubling_chain_of_variables_is_cut_short() -> None:
    lines = ['#EXT-X-DEFINE:NAME="v0",VALUE="' + "x" * 64 + '"']
    lines += [f'#EXT-X-DEFINE:NAME="v{n}",VALUE="{{$v{n - 1}}}{{$v{n - 1}}}"' for n in range(1, 40)]
    with pytest.raises(TooLarge):
        parse(HEAD + "\n".join(lines), base_url=URL)


@pytest.mark.parametrize(
    "line",
    [
        "#EXT-X-DATERANGE:" + "," * 100_000,
        "#EXT-X-DATERANGE:" + "a" * 100_000,
        "#EXT-X-DATERANGE:" + 'a="' * 30_000,
        "#EXT-X-DATERANGE:" + 'A="x,' * 20_000,
        "#EXT-X-DATERANGE:" + " " * 100_000 + "=",
        "#EXT-X-DATERANGE:" + "=" * 100_000,
        "{$" * 50_000,
        "a/../" * 20_000,
        ":" * 100_000,
    ],
    ids=range(9),
)
def test_long_hostile_lines_are_read_in_linear_time(line: str) -> None:
    # A quadratic reader would take minutes here, and the test run would be seen to hang.
    parse(f"{HEAD}#EXTINF:4,\n{line}\na.ts\n", base_url=URL)
    parse(f"#EXTM3U\n#EXT-X-STREAM-INF:{line}\nv.m3u8\n", base_url=URL)


def test_blank_lines_before_a_master_tag_are_read_in_linear_time() -> None:
    parse("#EXTM3U\n" + " \n" * 200_000 + "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n", base_url=URL)


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (b"#EXTM3U", True),
        (b"\xef\xbb\xbf#EXTM3U\r\n", True),
        (b"\n\n  #EXTM3U\n", True),
        (b"# made by hand\n#EXTM3U\n", True),
        (b"#EXT-X-TARGETDURATION:4\n", True),
        (b"", False),
        (b"#", False),
        (b"# a shell script\necho\n", False),
        (b"http://example.com/\n#EXTM3U\n", False),
        (b"\x47\x40\x00\x10" + bytes(184), False),
        (b"FLV\x01\x05", False),
        (b"#EXTM3U\x00\x00", False),
        (b"\xff\xfe#\x00E\x00", False),
    ],
)
def test_is_playlist(first: bytes, answer: bool) -> None:
    assert is_playlist(first) is answer
