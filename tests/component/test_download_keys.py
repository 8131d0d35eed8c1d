"""A key that is not the one: it is noticed before anything has its final name, whatever is encrypted with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from tests.component.test_download_cases import (
    FRAGMENTS,
    INIT,
    IV,
    KEY,
    OTHER_INIT,
    OTHER_KEY,
    TS,
    clear,
    locked,
    names,
    numbered,
)
from tests.downloaded import HASTE, download, playlist, there

from ouzel.base.errors import Gone, Incomplete, NotDecrypted, NotMedia, ShortBody
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
METHOD = '#EXT-X-KEY:METHOD=AES-128,URI="key"'
TEXTS = [f"WEBVTT\n\n00:0{number}.000 --> 00:0{number}.900\nÜber {number}\n".encode() for number in range(6)]


def frame(size: int, number: int) -> bytes:
    """Of ADTS: MPEG-4 AAC-LC, 44.1 kHz, stereo."""
    length = size + 7
    return bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC]) + bytes(
        (number * 31 + at) % 251 for at in range(size)
    )


SOUND = [b"".join(frame(150 + 3 * at, number) for at in range(8)) for number in range(6)]
LONG_FRAMES = [frame(900, number) * 4 for number in range(6)]

KINDS: dict[str, tuple[list[bytes], str, str]] = {
    "ts": (TS, "ts", ""),
    "mp4": (FRAGMENTS, "m4s", '#EXT-X-MAP:URI="i.mp4"'),
    "aac": (SOUND, "aac", ""),
    "long frames": (LONG_FRAMES, "aac", ""),
    "vtt": (TEXTS, "vtt", ""),
}


def sound_by_chance(data: bytes, start: bytes = b"\xff\xf1") -> bytes:
    """A key under which the noise begins like sound."""
    for number in range(1 << 20):
        key = number.to_bytes(16, "big")
        if Cipher(AES(key), CBC(bytes(16))).decryptor().update(data[:16]).startswith(start):
            return key
    raise AssertionError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 4])
async def test_nothing_is_left_of_noise(tmp_path: Path, kind: str, count: int) -> None:
    parts, ending, head = KINDS[kind]
    files = {**numbered(parts, ending), "/key": OTHER_KEY, "/i.mp4": INIT}
    async with VodServer({**files, "/film.m3u8": playlist(names(count, ending), head=f"{head}\n{METHOD}")}) as vod:
        with pytest.raises(NotDecrypted):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {}


@pytest.mark.parametrize("kind", KINDS)
async def test_behind_clear_segments_nothing_is_published_and_the_right_key_goes_on(tmp_path: Path, kind: str) -> None:
    parts, ending, head = KINDS[kind]
    count = len(parts)
    many = count * 4
    encrypted = [parts[number % count] for number in range(many)]
    files = {**numbered(encrypted, ending), **clear(parts[:3], ending), "/key": OTHER_KEY, "/i.mp4": INIT}
    listed = playlist(names(many, ending), head=head, before={3: METHOD})
    async with VodServer({**files, "/film.m3u8": listed}) as vod:
        with pytest.raises(NotDecrypted):
            await download(vod.url("/film.m3u8"), tmp_path)
        assert sum(vod.asked[f"/{number}.{ending}"] for number in range(3, many)) < many, "it does not try them all"
        left = {*there(tmp_path)}
        assert len(left) == 2
        assert {name.rpartition(".")[2] for name in left} == {"part", "ledger"}
        vod.files["/key"] = KEY
        vod.forget()
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert not {f"/{number}.{ending}" for number in range(3)} & {*vod.asked}
    start = INIT if kind == "mp4" else b""
    assert done.path.read_bytes() == start + b"".join([*parts[:3], *encrypted[3:]])


@pytest.mark.parametrize("kind", ["ts", "aac", "long frames"])
async def test_noise_that_begins_like_sound_by_chance_is_noise(tmp_path: Path, kind: str) -> None:
    parts, ending, _ = KINDS[kind]
    files = numbered(parts, ending)
    files["/key"] = sound_by_chance(files[f"/0.{ending}"])
    async with VodServer({**files, "/film.m3u8": playlist(names(6, ending), head=METHOD)}) as vod:
        with pytest.raises(NotDecrypted):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_is_given_is_looked_at_too(tmp_path: Path, kind: str) -> None:
    parts, ending, head = KINDS[kind]
    files = {**numbered(parts, ending), "/i.mp4": INIT}
    listed = playlist(names(len(parts), ending), head=f"{head}\n{METHOD}")
    async with VodServer({**files, "/film.m3u8": listed}) as vod:
        with pytest.raises(NotDecrypted):
            await download(vod.url("/film.m3u8"), tmp_path, key=OTHER_KEY)
        done = await download(vod.url("/film.m3u8"), tmp_path, key=KEY)
    assert done.path.read_bytes() == (INIT if kind == "mp4" else b"") + b"".join(parts)


@pytest.mark.parametrize("init", [
    pytest.param(lambda: locked(INIT, OTHER_KEY, IV), id="under another key"),
    pytest.param(lambda: b"<html>not here</html>", id="a web page"),
    pytest.param(lambda: b"", id="nothing"),
])  # fmt: skip
@pytest.mark.parametrize("is_locked", [True, False])
async def test_an_init_segment_is_looked_at(tmp_path: Path, init: Callable[[], bytes], *, is_locked: bool) -> None:
    """Its segments are clear, and would be written behind it."""
    head = '#EXT-X-MAP:URI="i.mp4"'
    if is_locked:
        head = f"{METHOD},IV=0x{IV.hex()}\n{head}\n#EXT-X-KEY:METHOD=NONE"
    files = {**clear(FRAGMENTS, "m4s"), "/i.mp4": init(), "/key": KEY}
    async with VodServer({**files, "/film.m3u8": playlist(names(4, "m4s"), head=head)}) as vod:
        with pytest.raises((NotMedia, NotDecrypted, ShortBody)):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {}


@pytest.mark.parametrize("count", [1, 2])
async def test_of_a_short_list_nothing_is_left_either(tmp_path: Path, count: int) -> None:
    async with VodServer({**clear(TS, "ts"), "/film.m3u8": playlist(names(count, "ts"))}) as vod:
        vod.faults = {f"/{number}.ts": Faults(answers=[404] * 50) for number in range(count)}
        with pytest.raises(Gone):
            await download(vod.url("/film.m3u8"), tmp_path, pace=replace(HASTE, retries=0))
    assert there(tmp_path) == {}


async def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = {f"/{number}.ts": data for number, data in enumerate(TS)}
    async with VodServer({**files, "/film.m3u8": playlist([f"{n}.ts" for n in range(len(TS))], head=METHOD)}) as vod:
        with pytest.raises(Gone, match=r"the key http://[\d.:]+/key: .* answered 404"):
            await download(vod.url("/film.m3u8"), tmp_path)


def in_parts(before: str, init: bytes) -> dict[str, bytes]:
    """Two parts; `before` stands before the second one."""
    fragments = [FRAGMENTS[number % len(FRAGMENTS)] for number in range(6)]
    listed = playlist(names(6, "m4s"), head='#EXT-X-MAP:URI="i.mp4"', before={3: before})
    files = {**numbered(fragments, "m4s"), **clear(fragments[:3], "m4s"), "/i.mp4": INIT, "/j.mp4": init}
    return {**files, "/film.m3u8": listed, "/key": OTHER_KEY}


async def test_a_part_gets_its_name_when_those_behind_it_are_there(tmp_path: Path) -> None:
    """Their init segment is clear, so that it is their first bytes that tell."""
    async with VodServer(in_parts(f'#EXT-X-MAP:URI="j.mp4"\n{METHOD}', OTHER_INIT)) as vod:
        with pytest.raises(NotDecrypted):
            await download(vod.url("/film.m3u8"), tmp_path)
        assert {*there(tmp_path)} == {"film.mp4.part", "film.ledger"}
        vod.files["/key"] = KEY
        vod.forget()
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert not {f"/{number}.m4s" for number in range(3)} & {*vod.asked}
    fragments = [FRAGMENTS[number % len(FRAGMENTS)] for number in range(6)]
    assert done.path.read_bytes() == INIT + b"".join(fragments[:3])
    assert [path.read_bytes() for path in done.tracks] == [OTHER_INIT + b"".join(fragments[3:])]
    assert {*there(tmp_path)} == {"film.mp4", "film.ledger", "film_2.mp4", "film_2.ledger"}


async def test_a_part_that_no_key_opens_is_a_hole_where_another_one_was_opened(tmp_path: Path) -> None:
    """As in a list without parts: what could be had is not held back, and `repair` fetches the rest."""
    files = in_parts(f'#EXT-X-MAP:URI="j.mp4"\n{METHOD}', OTHER_INIT)
    fragments = [FRAGMENTS[number % len(FRAGMENTS)] for number in range(6)]
    listed = playlist(
        names(6, "m4s"),
        head=f'#EXT-X-MAP:URI="i.mp4"\n{METHOD}',
        before={3: '#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI="j.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="other"'},
    )
    files |= {**numbered(fragments, "m4s"), "/film.m3u8": listed, "/key": KEY, "/other": OTHER_KEY}
    async with VodServer(files) as vod:
        with pytest.raises(Incomplete, match="3 of 6 segments are missing"):
            await download(vod.url("/film.m3u8"), tmp_path)
        assert (tmp_path / "film.mp4").read_bytes() == INIT + b"".join(fragments[:3])
        vod.files["/other"] = KEY
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert [path.read_bytes() for path in done.tracks] == [OTHER_INIT + b"".join(fragments[3:])]
