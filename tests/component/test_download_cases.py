"""Legal playlists that downloaders break on: what is written is what `cat` and the OpenSSL program make of the same address."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.downloaded import KEY, download, packets, playlist

from ouzel.base.errors import Encrypted, Incomplete, NotDecrypted, NotMedia, OuzelError
from ouzel.cli.texts.sentences import in_chinese
from ouzel.model.downloads import DownloadOutcome
from ouzel.model.flow import GapCode
from ouzel.testing.clips import Clip
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
OTHER_KEY = bytes(range(100, 116))
IV = bytes(range(50, 66))
TS = [packets(9 + number, number) for number in range(6)]
INIT = b"\0\0\0\x10ftypiso5\0\0\0\0"
OTHER_INIT = b"\0\0\0\x14ftypiso6\0\0\0\0more"
FRAGMENTS = [b"\0\0\0\x08moof" + packets(3, 20 + number) for number in range(4)]
SOUND = [(b"\xff\xf1" + bytes([number]) * (90 + number)) * 9 for number in range(4)]


@cache
def locked(plain: bytes, key: bytes, iv: bytes, *options: str) -> bytes:
    """By the OpenSSL program."""
    command = ["openssl", "enc", "-e", "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex(), *options]
    return subprocess.run(command, input=plain, capture_output=True, check=True).stdout


def numbered(parts: list[bytes], ending: str, key: bytes = KEY, first: int = 0) -> dict[str, bytes]:
    """Encrypted with their media sequence numbers."""
    return {
        f"/{number}.{ending}": locked(part, key, (first + number).to_bytes(16, "big"))
        for number, part in enumerate(parts)
    }


def clear(parts: list[bytes], ending: str) -> dict[str, bytes]:
    return {f"/{number}.{ending}": part for number, part in enumerate(parts)}


def names(count: int, ending: str) -> list[str]:
    return [f"{number}.{ending}" for number in range(count)]


@dataclass(frozen=True)
class Case:
    files: dict[str, bytes]
    playlist: bytes
    expected: bytes
    asked: dict[str, int] = field(default_factory=dict[str, int])
    """How often some of the files are asked for."""


def implied_iv_after_a_clear_map() -> Case:
    head = '#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="key"'
    files = {**numbered(FRAGMENTS, "m4s", first=7), "/i.mp4": INIT, "/key": KEY}
    return Case(files, playlist(names(4, "m4s"), head=head), INIT + b"".join(FRAGMENTS), {"/key": 1, "/i.mp4": 1})


def encrypted_map() -> Case:
    head = f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0X{IV.hex().upper()}\n#EXT-X-MAP:URI="i.mp4"'
    files = {f"/{number}.m4s": locked(part, KEY, IV) for number, part in enumerate(FRAGMENTS)}
    files |= {"/i.mp4": locked(INIT, KEY, IV), "/key": KEY}
    return Case(files, playlist(names(4, "m4s"), head=head), INIT + b"".join(FRAGMENTS), {"/key": 1})


def map_by_range_in_the_file_of_the_segments() -> Case:
    whole = INIT + FRAGMENTS[0] + FRAGMENTS[1]
    lengths = [len(INIT), len(FRAGMENTS[0]), len(FRAGMENTS[1])]
    before = {0: f"#EXT-X-BYTERANGE:{lengths[1]}@{lengths[0]}", 1: f"#EXT-X-BYTERANGE:{lengths[2]}"}
    head = f'#EXT-X-MAP:URI="all.mp4",BYTERANGE="{lengths[0]}@0"'
    return Case({"/all.mp4": whole}, playlist(["all.mp4"] * 2, head=head, before=before), whole)


def the_same_map_again() -> Case:
    again = {2: '#EXT-X-MAP:URI="i.mp4"'}
    files = {**clear(FRAGMENTS, "m4s"), "/i.mp4": INIT}
    listed = playlist(names(4, "m4s"), head='#EXT-X-MAP:URI="i.mp4"', before=again)
    return Case(files, listed, INIT + b"".join(FRAGMENTS), {"/i.mp4": 1})


def discontinuity_sequence() -> Case:
    return Case(clear(TS, "ts"), playlist(names(6, "ts"), head="#EXT-X-DISCONTINUITY-SEQUENCE:3"), b"".join(TS))


def byte_ranges_not_in_order() -> Case:
    whole = b"".join(TS[:4])
    starts = [sum(map(len, TS[:number])) for number in range(4)]
    order = (2, 0, 3, 1)
    before = {at: f"#EXT-X-BYTERANGE:{len(TS[number])}@{starts[number]}" for at, number in enumerate(order)}
    return Case({"/all.ts": whole}, playlist(["all.ts"] * 4, before=before), b"".join(TS[number] for number in order))


def byte_ranges_without_offset() -> Case:
    before = {number: f"#EXT-X-BYTERANGE:{len(TS[number])}" for number in range(4)}
    before[0] += "@0"
    return Case({"/all.ts": b"".join(TS)}, playlist(["all.ts"] * 4, before=before), b"".join(TS[:4]))


def byte_ranges_of_encrypted_segments() -> Case:
    parts = [*numbered(TS, "ts").values()]
    starts = [sum(map(len, parts[:number])) for number in range(6)]
    before = {number: f"#EXT-X-BYTERANGE:{len(parts[number])}@{starts[number]}" for number in range(6)}
    listed = playlist(["all.ts"] * 6, head='#EXT-X-KEY:METHOD=AES-128,URI="key"', before=before)
    return Case({"/all.ts": b"".join(parts), "/key": KEY}, listed, b"".join(TS))


def variables() -> Case:
    head = '#EXT-X-DEFINE:NAME="where",VALUE="deep/down"\n#EXT-X-KEY:METHOD=AES-128,URI="{$where}/key"'
    files = {f"/deep/down{name}": data for name, data in numbered(TS, "ts").items()}
    listed = playlist([f"{{$where}}/{name}" for name in names(6, "ts")], head=head)
    return Case({**files, "/deep/down/key": KEY}, listed, b"".join(TS))


def keys_in_the_playlist() -> Case:
    """In each form that a `data:` address has."""
    coded = base64.b64encode(KEY).decode()
    forms = [
        f"text/plain;base64,{coded}",
        f";base64,{coded}",
        "," + quote(KEY),
        f"a/b;charset=utf-8;base64,{quote(coded)}",
    ]
    before = {number: f'#EXT-X-KEY:METHOD=AES-128,URI="data:{form}"' for number, form in enumerate(forms)}
    return Case(numbered(TS, "ts"), playlist(names(6, "ts"), before=before), b"".join(TS))


def keys_change_and_pause() -> Case:
    before = {
        0: '#EXT-X-KEY:METHOD=AES-128,URI="key"', 2: "#EXT-X-KEY:METHOD=NONE",
        3: f'#EXT-X-KEY:METHOD=AES-128,URI="other",IV=0x{IV.hex()}', 5: '#EXT-X-KEY:METHOD=AES-128,URI="key"',
    }  # fmt: skip
    one, other = numbered(TS, "ts"), {f"/{number}.ts": locked(TS[number], OTHER_KEY, IV) for number in (3, 4)}
    files = {**one, "/2.ts": TS[2], **other, "/key": KEY, "/other": OTHER_KEY}
    return Case(files, playlist(names(6, "ts"), before=before), b"".join(TS), {"/key": 1, "/other": 1})


def keys_of_several_formats() -> Case:
    head = (
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="key",KEYFORMAT="identity"'
    )
    return Case({**numbered(TS, "ts"), "/key": KEY}, playlist(names(6, "ts"), head=head), b"".join(TS))


def lines_end_with_crlf() -> Case:
    listed = playlist(names(6, "ts"), head='#EXT-X-KEY:METHOD=AES-128,URI="key"').replace(b"\n", b"\r\n")
    return Case({**numbered(TS, "ts"), "/key": KEY}, listed, b"".join(TS))


def extinf_without_a_comma() -> Case:
    return Case(clear(TS, "ts"), playlist(names(6, "ts")).replace(b"1.0,", b"1.0"), b"".join(TS))


def an_address_twice() -> Case:
    order = [0, 1, 0, 2, 1]
    listed = playlist([f"{number}.ts" for number in order])
    return Case(clear(TS, "ts"), listed, b"".join(TS[number] for number in order))


def padding_that_is_none() -> Case:
    """Encrypted without padding: all bytes are kept."""
    parts = [packets(12, number) for number in range(4)]  # 2256 bytes: whole blocks
    files = {
        f"/{number}.ts": locked(part, KEY, number.to_bytes(16, "big"), "-nopad") for number, part in enumerate(parts)
    }
    listed = playlist(names(4, "ts"), head='#EXT-X-KEY:METHOD=AES-128,URI="key"')
    return Case({**files, "/key": KEY}, listed, b"".join(parts))


def packed_sound() -> Case:
    return Case(clear(SOUND, "aac"), playlist(names(4, "aac")), b"".join(SOUND))


def packed_sound_encrypted() -> Case:
    listed = playlist(names(4, "aac"), head='#EXT-X-KEY:METHOD=AES-128,URI="key"')
    return Case({**numbered(SOUND, "aac"), "/key": KEY}, listed, b"".join(SOUND))


def sequence_numbers_of_more_than_32_bits() -> Case:
    first = (1 << 40) + 3
    head = f'#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-KEY:METHOD=AES-128,URI="key"'
    return Case({**numbered(TS, "ts", first=first), "/key": KEY}, playlist(names(6, "ts"), head=head), b"".join(TS))


CASES: list[Callable[[], Case]] = [
    implied_iv_after_a_clear_map, encrypted_map, map_by_range_in_the_file_of_the_segments, the_same_map_again,
    discontinuity_sequence, byte_ranges_not_in_order, byte_ranges_without_offset, byte_ranges_of_encrypted_segments,
    variables, keys_in_the_playlist, keys_change_and_pause, keys_of_several_formats, lines_end_with_crlf,
    extinf_without_a_comma, an_address_twice, padding_that_is_none, packed_sound, packed_sound_encrypted,
    sequence_numbers_of_more_than_32_bits,
]  # fmt: skip


def servers(case: Callable[[], Case]) -> dict[str, Faults]:
    """Those that may serve it: who is asked for ranges knows lengths, and may yet answer with the whole file."""
    if "_range" in case.__name__:
        return {"known": Faults(), "no ranges": Faults(no_ranges=True)}
    return {"known": Faults(), "chunked": Faults(chunked=True)}


@pytest.mark.parametrize(
    ("case", "faults"),
    [
        pytest.param(case, faults, id=f"{case.__name__}-{name}")
        for case in CASES
        for name, faults in servers(case).items()
    ],
)
async def test_what_is_written(tmp_path: Path, case: Callable[[], Case], faults: Faults) -> None:
    told = case()
    async with VodServer({**told.files, "/film.m3u8": told.playlist}) as vod:
        vod.faults = {name: replace(faults) for name in told.files}
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == told.expected
        assert {name: vod.asked[name] for name in told.asked} == told.asked
        vod.forget()
        await download(vod.url("/film.m3u8"), tmp_path)
        assert set(vod.asked) <= {"/film.m3u8", "/i.mp4", "/all.mp4", "/key"}, "all of it is there"


async def test_a_gap_is_never_asked_for_and_allowed_where_gaps_are(tmp_path: Path) -> None:
    listed = playlist(names(6, "ts"), before={2: "#EXT-X-GAP", 5: "#EXT-X-GAP"})
    async with VodServer({**clear(TS, "ts"), "/film.m3u8": listed}) as vod:
        with pytest.raises(Incomplete, match="the playlist itself leaves these out") as told:
            await download(vod.url("/film.m3u8"), tmp_path)
        assert "repair" not in told.value.message, "it would find nothing to fetch"
        chinese = in_chinese(told.value.message) or ""
        assert chinese.startswith("6 个分片中缺少 2 个")
        assert chinese.endswith("即视为完整")
        assert "holds" not in chinese
        done = await download(vod.url("/film.m3u8"), tmp_path, allow_gaps=True)
        assert (vod.asked["/2.ts"], vod.asked["/5.ts"]) == (0, 0)
    assert done.path.read_bytes() == b"".join([TS[0], TS[1], TS[3], TS[4]])
    assert [(gap.first_sequence, gap.code) for gap in done.gaps] == [(2, GapCode.LISTED_GAP), (5, GapCode.LISTED_GAP)]


async def test_maps_that_differ_begin_a_file_each(tmp_path: Path) -> None:
    before = {2: '#EXT-X-MAP:URI="j.mp4"'}
    files = {**clear(FRAGMENTS, "m4s"), "/i.mp4": INIT, "/j.mp4": OTHER_INIT}
    listed = playlist(names(4, "m4s"), head='#EXT-X-MAP:URI="i.mp4"', before=before)
    async with VodServer({**files, "/film.m3u8": listed}) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.path.read_bytes() == INIT + FRAGMENTS[0] + FRAGMENTS[1]
    assert [path.read_bytes() for path in done.tracks] == [OTHER_INIT + FRAGMENTS[2] + FRAGMENTS[3]]


async def test_behind_a_clock_that_begins_anew_the_raw_track_is_whole(tmp_path: Path, clip: Clip) -> None:
    parts = [path.read_bytes() for path in clip.ts_segments("av")[:3]]
    listed = playlist([f"{number}.ts" for number in (0, 1, 2, 0, 1, 2)], before={3: "#EXT-X-DISCONTINUITY"})
    async with VodServer({**clear(parts, "ts"), "/film.m3u8": listed}) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, keep_tracks=True)
    assert done.tracks[0].read_bytes() == b"".join(parts) * 2
    assert abs(done.media_s - 6) < 0.5


@pytest.mark.parametrize(
    ("wished", "chosen"),
    [
        ({}, {"high", "en"}),
        ({"audio": ("de",)}, {"high", "de"}),
        ({"quality": "160p", "audio": ("all",)}, {"low", "en", "de"}),
    ],
)
async def test_the_tracks_that_are_wished_for_and_no_others(
    tmp_path: Path, clip: Clip, wished: dict[str, Any], chosen: set[str]
) -> None:
    """Their addresses are made of variables that only the master playlist knows."""
    master = (
        '#EXTM3U\n#EXT-X-DEFINE:NAME="at",VALUE="deep/down"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="{$at}/en.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",AUTOSELECT=YES,URI="{$at}/de.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=284x160,AUDIO="a"\n{$at}/low.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=568x320,AUDIO="a"\n{$at}/high.m3u8\n'
    )
    files = {"/film.m3u8": master.encode()}
    for name in ("low", "high", "en", "de"):
        parts = clip.ts_segments("audio" if len(name) == 2 else "video")
        files |= {f"/deep/down/{name}{number}.ts": path.read_bytes() for number, path in enumerate(parts)}
        uris = [f"/{{$at}}/{name}{number}.ts" for number in range(len(parts))]
        files[f"/deep/down/{name}.m3u8"] = playlist(uris, head='#EXT-X-DEFINE:IMPORT="at"')
    async with VodServer(files) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, keep_tracks=True, **wished)
        asked = {name.rpartition("/")[2] for name in vod.asked if name.endswith(".m3u8")}
    assert asked == {"film.m3u8", *(f"{name}.m3u8" for name in chosen)}
    assert len(done.tracks) == len(chosen)
    whole = {kind: b"".join(path.read_bytes() for path in clip.ts_segments(kind)) for kind in ("video", "audio")}
    assert {path.read_bytes() for path in done.tracks} == {*whole.values()}


@pytest.mark.parametrize(
    ("head", "files", "error"),
    [
        ('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"', {"/key": KEY}, Encrypted),
        ('#EXT-X-KEY:METHOD=AES-128,URI="key"', {"/key": KEY[:15]}, NotMedia),
        ('#EXT-X-KEY:METHOD=AES-128,URI="key"', {"/key": OTHER_KEY}, NotDecrypted),
    ],
    ids=["SAMPLE-AES", "a key of 15 bytes", "a wrong key"],
)
async def test_what_cannot_be_read_is_named_and_nothing_is_left(
    tmp_path: Path, head: str, files: dict[str, bytes], error: type[OuzelError]
) -> None:
    listed = playlist(names(6, "ts"), head=head)
    async with VodServer({**numbered(TS, "ts"), **files, "/film.m3u8": listed}) as vod:
        with pytest.raises(error):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert [*tmp_path.iterdir()] == []  # noqa: ASYNC240


async def test_one_segment_under_a_wrong_key_is_a_gap_and_no_garbage(tmp_path: Path) -> None:
    files = {**numbered(TS, "ts"), "/3.ts": locked(TS[3], OTHER_KEY, IV), "/key": KEY}
    listed = playlist(names(6, "ts"), head='#EXT-X-KEY:METHOD=AES-128,URI="key"')
    async with VodServer({**files, "/film.m3u8": listed}) as vod:
        with pytest.raises(Incomplete) as raised:
            await download(vod.url("/film.m3u8"), tmp_path)
    outcome = raised.value.context["outcome"]
    assert isinstance(outcome, DownloadOutcome)
    assert [gap.first_sequence for gap in outcome.gaps] == [3]
    assert outcome.path.read_bytes() == b"".join([*TS[:3], *TS[4:]])


def test_the_table_of_what_shows_it_is_true() -> None:
    root = Path(__file__).parents[2]
    told = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (root / "docs" / "design" / "downloads.md").read_text())
    assert {case.__name__ for case in CASES} <= {name for _, name in told}
    for path, name in told:
        assert f"def {name}(" in (root / path).read_text(), f"{path}::{name}"
