"""Subtitles in fragments of MP4 are joined with the pictures as words, or stay beside with a word of why."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tests.downloaded import download, playlist
from tests.fmp4_source import Part, Sample, Source, box, fragment, init, segment
from tests.recordings import segments
from tests.unit.test_text_in_mp4 import NOTHING, WVTT, cue, document

from ouzel.cli.texts.sentences import in_chinese
from ouzel.engine.probe import probe
from ouzel.testing.clips import Clip
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio
STPP = Source(3, "text", 1000, box("stpp", bytes(6), b"\0\1", b"http://www.w3.org/ns/ttml\0\0\0"))
PICTURES = Source(3, "text", 1000, box("tx3g", bytes(6), b"\0\1", bytes(30)))


async def programme(clip: Clip, folder: Path, source: Source, pieces: list[list[Sample]]) -> dict[str, bytes]:
    """Pictures, and a piece of subtitles for each two seconds, on the clock of the pictures."""
    head, parts = segments(clip, "mp4")
    fragments = [*parts]
    path = folder / "probed.mp4"
    path.write_bytes(head + fragments[0])
    start_ms = round(((await probe(path)).start_s or 0.0) * 1000)
    path.unlink()
    files = {"/v.mp4": head, "/s.mp4": init([source])} | {f"/v{n}.m4s": data for n, data in enumerate(fragments)}
    for number, each in enumerate(pieces):
        files[f"/s{number}.m4s"] = segment(fragment([Part(source, start_ms + 2000 * number, each)]))
    files["/v.m3u8"] = playlist([f"v{n}.m4s" for n in range(len(fragments))], head='#EXT-X-MAP:URI="v.mp4"')
    files["/s.m3u8"] = playlist([f"s{n}.m4s" for n in range(len(pieces))], head='#EXT-X-MAP:URI="s.mp4"')
    files["/film.m3u8"] = (
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="s.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=1000,SUBTITLES="s"\nv.m3u8\n'
    )
    return files


async def read(path: Path) -> str:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:s", "-f", "webvtt", "-"]
    return (await anyio.run_process(command)).stdout.decode()


@pytest.mark.parametrize("format_", ["mp4", "mkv"])
async def test_cues_in_boxes_become_words(tmp_path: Path, clip: Clip, format_: str) -> None:
    """One of them goes on over the edge of two segments."""
    pieces = [[Sample(1000, NOTHING), Sample(1000, cue("hello"))], [Sample(500, cue("hello")), Sample(1500, NOTHING)]]
    async with VodServer(await programme(clip, tmp_path, WVTT, pieces)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, subtitles=("en",), format=format_)
    assert done.warnings == ()
    assert await read(done.path) == "WEBVTT\n\n00:01.000 --> 00:02.500\nhello\n"


async def test_documents_become_words(tmp_path: Path, clip: Clip) -> None:
    first = document('<p begin="0.5s" end="1.5s">one &amp; two<br/>three</p>')
    second = document('<p begin="1s" end="1.5s">four</p>')
    pieces = [[Sample(2000, first)], [Sample(2000, second)]]
    async with VodServer(await programme(clip, tmp_path, STPP, pieces)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, subtitles=("en",), format="mkv")
    assert done.warnings == ()
    cues = [block.split("\n", 1) for block in (await read(done.path)).strip().split("\n\n")[1:]]
    assert [words for _, words in cues] == ["one & two\nthree", "four"]
    first_s, second_s = (float(timing.split(" ")[0].rpartition(":")[2]) for timing, _ in cues)
    assert 0.3 < first_s <= 0.5, "the clock of the pictures begins with their first one, a little later"
    assert second_s == pytest.approx(3.0, abs=0.002)


@pytest.mark.parametrize(
    ("source", "data", "why"),
    [
        (PICTURES, b"\0\5words", "subtitles of the kind tx3g"),
        (STPP, b"<tt", "no XML"),
        (STPP, document("<p/>"), "there is nothing in"),
    ],
)
async def test_what_cannot_be_read_stays_beside_with_one_word_of_why(
    tmp_path: Path, clip: Clip, source: Source, data: bytes, why: str
) -> None:
    async with VodServer(await programme(clip, tmp_path, source, [[Sample(2000, data)]])) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, subtitles=("en",))
    (warning,) = done.warnings
    assert why in warning
    assert in_chinese(warning) is not None
    assert done.path.name == "film.mp4"
    (left,) = done.tracks
    assert left.read_bytes().endswith(data)
