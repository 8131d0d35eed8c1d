"""Files that are sent from their first byte at each request, without a word about their length or broken off on the way."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.component.http_server import Asked, Peer, Script, answer, chunked, serving

from ouzel.base.errors import DiskFull
from ouzel.engine.intake import Intake
from ouzel.formats.shape import Span
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.testing.clips import Clip, build_once, run_ffmpeg

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def pieces(clip: Clip, clip_folder: Path) -> bytes:
    """A fragmented MP4 as ffmpeg writes it."""

    def build(folder: Path) -> None:
        flags = ["-c", "copy", "-movflags", "empty_moov+frag_keyframe+default_base_moof"]
        run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(".mp4")), *flags, str(folder / "pieces.mp4")])

    data = (build_once(clip_folder / "in-pieces", build) / "pieces.mp4").read_bytes()
    assert data.count(b"moof") >= 5
    return data


def unannounced(body: bytes) -> Script:
    """The end of the connection is the end of the file."""

    async def serve(peer: Peer, _asked: Asked) -> None:
        await peer.send(answer(body, length=None, Connection="close"))
        await peer.hang_up()

    return serve


def breaking(body: bytes, *reached: int) -> Script:
    """Each answer announces the whole and breaks off, the last over and over."""
    left = list(reached)

    async def serve(peer: Peer, _asked: Asked) -> None:
        await peer.send(answer(body[: left.pop(0) if len(left) > 1 else left[0]], length=len(body)))
        await peer.hang_up()

    return serve


async def whole(record: Studio, url: str) -> bytes:
    """What a recording of the file makes of it when nothing is wrong with the server."""
    kept = await record(url, name="whole")
    assert kept.report.end_reason is EndReason.ENDED
    return kept.path.read_bytes()


async def test_a_fragmented_mp4_of_unknown_length_is_kept_once(record: Studio, pieces: bytes) -> None:
    async with serving({"/whole": answer(pieces), "/film": unannounced(pieces)}) as server:
        expected = await whole(record, server.url("/whole"))
        kept = await record(server.url("/film"), park_s=1.0)
    asked = [each.target for each in server.asked].count("/film")
    assert kept.path.read_bytes() == expected
    assert kept.report.end_reason is EndReason.GONE
    assert kept.gaps == []
    assert kept.report.replays_dropped == (asked - 1) * pieces.count(b"moof")
    assert 2 <= asked <= 15


async def test_a_transfer_that_breaks_at_the_same_place_each_time_does_not_double(
    record: Studio, pieces: bytes
) -> None:
    half = pieces.index(b"moof", len(pieces) // 2) - 4
    async with serving({"/whole": answer(pieces[:half]), "/film": breaking(pieces, half + 500)}) as server:
        expected = await whole(record, server.url("/whole"))
        kept = await record(server.url("/film"), park_s=1.0)
    assert kept.path.read_bytes() == expected
    assert kept.report.end_reason is EndReason.GONE
    assert 2 <= len(server.asked) <= 16


async def test_a_transfer_that_breaks_elsewhere_each_time_is_put_together(record: Studio, pieces: bytes) -> None:
    size = len(pieces)
    places = [size // 2, size // 4, size * 3 // 4, size]
    async with serving({"/whole": answer(pieces), "/film": breaking(pieces, *places)}) as server:
        expected = await whole(record, server.url("/whole"))
        kept = await record(server.url("/film"))
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert len(kept.path.read_bytes()) == len(expected)
    assert kept.report.media_s == pytest.approx(sum(c.duration_s for c in kept.book.chunks), abs=0.01)


async def test_new_media_that_come_in_no_time_are_asked_for_ever_more_slowly(record: Studio, pieces: bytes) -> None:
    starts = [found.start() - 4 for found in re.finditer(b"moof", pieces)]
    head = pieces[: starts[0]]
    parts = [head + pieces[start:end] for start, end in pairwise([*starts, len(pieces)])]

    async def serve(peer: Peer, asked: Asked) -> None:
        await unannounced(parts.pop(0) if len(parts) > 1 else parts[0])(peer, asked)

    count = len(parts)
    async with serving({"/film": serve}) as server:
        kept = await record(server.url("/film"), park_s=0.5)
    delays = [told["delay_s"] for told in kept.told(EventCode.RECONNECTING)]
    assert len(delays) > count
    assert delays[0] == 0.0
    assert min(delays[1:]) > 0.0
    assert min(delays[3:]) >= record.policy.retry_cap_s / 2


@pytest.fixture(scope="module", params=["ts", "flv"])
def film(request: pytest.FixtureRequest, clip: Clip, clip_folder: Path) -> bytes:
    """Two minutes, with more groups of pictures than are remembered."""
    form: str = request.param

    def build(folder: Path) -> None:
        source = ["-stream_loop", str(130 // clip.seconds), "-i", str(clip.file(".mp4"))]
        run_ffmpeg(clip.ffmpeg, [*source, "-c", "copy", str(folder / f"film.{form}")])

    return (build_once(clip_folder / f"film-{form}", build) / f"film.{form}").read_bytes()


async def test_a_long_file_of_unknown_length_is_kept_once(record: Studio, film: bytes) -> None:
    async with serving({"/whole": answer(film), "/film": unannounced(film)}) as server:
        expected = await whole(record, server.url("/whole"))
        kept = await record(server.url("/film"))
    assert kept.path.read_bytes() == expected
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert sum(each.target == "/film" for each in server.asked) == 2


async def test_a_file_of_unknown_length_that_breaks_off_at_first_ends_when_it_was_whole_twice(
    record: Studio, film: bytes
) -> None:
    shorter = film[: len(film) * 2 // 3]
    answers = [chunked(shorter)[: len(film) // 3]]

    async def serve(peer: Peer, _asked: Asked) -> None:
        await peer.send(answers.pop() if answers else chunked(shorter))
        await peer.hang_up()

    async with serving({"/film": serve}) as server:
        kept = await record(server.url("/film"), park_s=1.0)
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.report.media_s == pytest.approx(130 * 2 / 3, abs=4.0)
    assert kept.gaps == []
    assert len(server.asked) == 3


async def test_what_begins_alike_and_goes_on_otherwise_is_no_file(record: Studio, clip: Clip, film: bytes) -> None:
    """A notice that is shown to everybody who comes, and the show behind it."""
    answers = [film[: len(film) // 60], film]

    async def serve(peer: Peer, asked: Asked) -> None:
        await unannounced(answers.pop(0) if answers else b"")(peer, asked)

    async with serving({"/show": serve}) as server:
        kept = await record(server.url("/show"), park_s=0.5)
    assert kept.report.media_s == pytest.approx(130 // clip.seconds * clip.seconds + clip.seconds, abs=4.0)
    assert kept.report.end_reason is EndReason.GONE


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
async def test_what_was_announced_and_never_came_is_no_success(record: Studio, film: bytes, ending: str) -> None:
    async def serve(peer: Peer, _asked: Asked) -> None:
        await peer.send(answer(film[: len(film) // 20], length=len(film)))
        await (peer.reset() if ending == "reset" else peer.hang_up())

    async with serving({"/film": serve}) as server:
        kept = await record(server.url("/film"), park_s=0.5)
    assert kept.report.end_reason is EndReason.GONE
    assert kept.report.unsent_bytes > len(film) * 9 // 10


@pytest.fixture(scope="module")
def song(clip: Clip, clip_folder: Path) -> bytes:
    """Sound in ADTS frames, which Ouzel has ffmpeg read."""

    def build(folder: Path) -> None:
        source = ["-f", "lavfi", "-i", "sine=frequency=330:duration=12"]
        run_ffmpeg(clip.ffmpeg, [*source, "-c:a", "aac", "-b:a", "96k", str(folder / "song.aac")])

    return (build_once(clip_folder / "song", build) / "song.aac").read_bytes()


def between_frames(song: bytes, parts: int) -> list[int]:
    """Where to cut it into so many parts. Source: ISO/IEC 13818-7 section 6.2: `aac_frame_length`."""
    starts = [0]
    while starts[-1] < len(song):
        at = starts[-1]
        starts.append(at + (int.from_bytes(song[at + 3 : at + 6], "big") >> 5 & 0x1FFF))
    return [starts[number * (len(starts) - 1) // parts] for number in range(parts + 1)]


async def test_sound_of_unknown_length_ends_when_it_comes_again(record: Studio, song: bytes) -> None:
    async with serving({"/whole": answer(song), "/song": chunked(song, Content_Type="audio/aac")}) as server:
        expected = await whole(record, server.url("/whole"))
        kept = await record(server.url("/song"))
    assert kept.path.read_bytes() == expected
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert kept.report.replays_dropped == 1
    assert [told["seconds"] for told in kept.told(EventCode.REPLAY_DROPPED)] == [round(kept.report.media_s, 3)]
    assert sum(each.target == "/song" and by_ffmpeg(each) for each in server.asked) == 2


def by_ffmpeg(asked: Asked) -> bool:
    """Not by Ouzel itself, which looks at the first bytes before."""
    return "icy-metadata" in asked.headers


def in_turn(bodies: list[bytes]) -> Script:
    """ffmpeg is sent one after the other, and then nothing any more."""

    async def serve(peer: Peer, asked: Asked) -> None:
        if not bodies:
            await peer.send(answer(status="404 Not Found"))
            return
        await peer.send(chunked(bodies.pop(0) if by_ffmpeg(asked) else bodies[0], Content_Type="audio/aac"))

    return serve


async def test_sound_that_goes_on_behind_what_was_sent_before_is_kept_from_there(record: Studio, song: bytes) -> None:
    half = between_frames(song, 2)[1]
    bodies = [song[:half], song, song]
    async with serving({"/whole": answer(song), "/song": in_turn(bodies)}) as server:
        expected = await record(server.url("/whole"), name="whole")
        kept = await record(server.url("/song"))
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert kept.report.media_s == pytest.approx(expected.report.media_s, abs=0.2)
    assert not bodies


async def test_sound_that_is_on_air_is_never_taken_for_a_file(record: Studio, song: bytes) -> None:
    bodies = [song[start:end] for start, end in pairwise(between_frames(song, 4))]
    async with serving({"/song": in_turn(bodies)}) as server:
        kept = await record(server.url("/song"), park_s=1.0)
    assert kept.report.end_reason is EndReason.GONE
    assert kept.report.replays_dropped == 0
    assert kept.report.media_s == pytest.approx(12.0, abs=0.5)


async def test_the_end_of_a_broken_file_for_which_there_is_no_room_is_told(
    record: Studio, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Intake.finish

    def finish(intake: Intake, *, broken: bool = False, came: float | None = None) -> Span | None:
        if sys._getframe(1).f_code.co_name == "close":
            raise DiskFull("no space left")
        return written(intake, broken=broken, came=came)

    monkeypatch.setattr(Intake, "finish", finish)
    async with serving({"/song": breaking(song, len(song) // 2)}) as server:
        kept = await record(server.url("/song"), park_s=0.5)
    last = kept.told(EventCode.WARNING)[-1]
    assert (last["code"], "the last of the file" in last["why"]) == ("disk_full", True)
    assert kept.report.end_reason is EndReason.GONE
    assert kept.report.media_s > 2
