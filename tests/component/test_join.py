"""Tracks of a download into one file, by the real ffmpeg: what belongs together stays together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import anyio
import av
import pytest
from av.stream import Disposition

from ouzel.base.errors import DiskFull, ToolFailed, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.download import mux
from ouzel.engine.download.join import Joined, Track, join
from ouzel.engine.probe import probe
from ouzel.engine.sinks.file import LEDGER
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.flow import Chunk, Gap, GapCode
from ouzel.model.ledger_lines import Closing, HeadLine, Opening
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, run_ffmpeg
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAP = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"
_FRAGMENTS = ("-movflags", "+empty_moov+frag_keyframe+default_base_moof+delay_moov", "-frag_duration", "1000000")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("cut-")}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def raw(path: Path, pieces: Sequence[bytes], *, broken: Sequence[int] = (), gaps: Sequence[Gap] = ()) -> Path:
    """A closed raw track of pieces of a second each, as a download leaves it."""
    container: Container = "ts" if path.suffix == ".ts" else "mp4" if path.suffix == ".mp4" else "raw"
    lines = [Opening(path.name, container, NOON, "https://example.org/vod.m3u8", 1, "ouzel test", download=True)]
    text = b"".join(ledger.render(line) for line in lines) + ledger.render(HeadLine(0, 0, (), b""))
    at = 0
    for index, data in enumerate(pieces):
        text += ledger.render(
            Chunk(
                index, at, len(data), index, index + 1.0, NOON, 0, True, "0" * 16, index, discontinuity=index in broken
            )
        )
        at += len(data)
    text += b"".join(ledger.render(gap) for gap in gaps)
    text += ledger.render(Closing(NOON, "ended", at, len(pieces), len(pieces), len(gaps)))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(pieces))
    path.with_suffix(LEDGER).write_bytes(text)
    return path


def cut(clip: Clip, folder: Path, name: str, kind: str, at_s: float, *options: str) -> bytes:
    """One of the clip's tracks, in a file whose clock begins at about `at_s`."""
    out = folder / f"cut-{name}"
    source = str(clip.file(".mp4"))
    options = (*options, *(_FRAGMENTS if name.endswith(".mp4") else ("-muxdelay", "0", "-muxpreload", "0")))
    run_ffmpeg(
        clip.ffmpeg,
        ["-i", source, "-map", f"0:{kind}", "-c", "copy", "-output_ts_offset", str(at_s), *options, str(out)],
    )
    return out.read_bytes()


async def joined(tmp_path: Path, tracks: Sequence[Track], format_: str | None = None, *, keep: bool = False) -> Joined:
    return await join(
        tracks,
        tmp_path / "film",
        format_,
        ffmpeg=FfmpegFinder(),
        clock=FakeClock(NOON),
        on_progress=lambda _share: None,
        keep_tracks=keep,
    )


async def ahead_s(path: Path) -> tuple[float, float]:
    """By how much sound begins, and ends, after the picture."""
    found = await probe(path)
    video, audio = found.video, found.audio
    assert video is not None
    assert audio is not None
    assert (video.unordered, audio.unordered) == (0, 0)
    ends = (audio.end_s or 0) - (video.end_s or 0)
    return (audio.first_s or 0) - (video.first_s or 0), ends


@pytest.mark.parametrize("ending", [".ts", ".mp4"])
@pytest.mark.parametrize("late_s", [0.5, -0.5])
async def test_sound_that_begins_at_another_time_stays_with_its_pictures(
    tmp_path: Path, clip: Clip, ending: str, late_s: float
) -> None:
    home = tmp_path / "film.tracks"
    video = raw(home / f"video{ending}", [cut(clip, tmp_path, f"v{ending}", "v", 10)])
    audio = raw(home / f"audio{ending}", [cut(clip, tmp_path, f"a{ending}", "a", 10 + late_s)])
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,), "en")])
    begins_s, ends_s = await ahead_s(made.path)
    assert begins_s == pytest.approx(late_s, abs=0.1)
    assert ends_s == pytest.approx(late_s, abs=0.15)
    assert made.warnings == ()
    assert not home.exists()
    held = ledgers.find(made.path)
    assert held is not None
    assert held.product is not None
    assert held.product.digest == ledgers.digest(made.path)


async def test_packed_audio_begins_where_its_tag_says(tmp_path: Path, clip: Clip) -> None:
    stamp = b"com.apple.streaming.transportStreamTimestamp\0" + round(11.5 * 90_000).to_bytes(8, "big")
    frame = b"PRIV" + len(stamp).to_bytes(4, "big") + b"\0\0" + stamp
    tag = b"ID3\x04\0\0" + bytes([0, 0, 0, len(frame)]) + frame
    video = raw(tmp_path / "t/video.ts", [cut(clip, tmp_path, "v.ts", "v", 10)])
    audio = raw(tmp_path / "t/audio.aac", [tag + b"".join(clip.audio())])
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    begins_s, _ends = await ahead_s(made.path)
    assert begins_s == pytest.approx(1.5, abs=0.1)


async def test_clocks_that_have_nothing_in_common_begin_together_and_that_is_said(tmp_path: Path, clip: Clip) -> None:
    video = raw(tmp_path / "t/video.ts", [cut(clip, tmp_path, "v.ts", "v", 10)])
    audio = raw(tmp_path / "t/audio.ts", [cut(clip, tmp_path, "a.ts", "a", 5000)])
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    begins_s, _ends = await ahead_s(made.path)
    assert begins_s == pytest.approx(0, abs=0.1)
    assert "do not share one clock" in made.warnings[0]


async def test_a_long_hole_in_the_picture_does_not_move_it_against_its_sound(tmp_path: Path, clip: Clip) -> None:
    pieces = [cut(clip, tmp_path, "v1.ts", "v", 10), cut(clip, tmp_path, "v2.ts", "v", 34)]
    sounds = [cut(clip, tmp_path, f"a{n}.ts", "a", 10 + 12 * n) for n in range(3)]
    hole = Gap(12.0, GapCode.SEGMENT_GONE, "404", NOON, NOON, 12.0, 1, 1)
    video = raw(tmp_path / "t/video.ts", pieces, gaps=[hole])
    audio = raw(tmp_path / "t/audio.ts", sounds)
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    begins_s, ends_s = await ahead_s(made.path)
    assert (begins_s, ends_s) == (pytest.approx(0, abs=0.1), pytest.approx(0, abs=0.15))
    assert made.duration_s == pytest.approx(36, abs=0.2)
    held = ledgers.find(made.path)
    assert held is not None
    assert [gap.code for gap in held.ledger.gaps] == [GapCode.SEGMENT_GONE]


@pytest.mark.parametrize(("format_", "codec"), [(None, "mov_text"), ("mkv", "webvtt")])
async def test_two_languages_and_subtitles(tmp_path: Path, clip: Clip, format_: str | None, codec: str) -> None:
    home = tmp_path / "film.tracks"
    texts = [(MAP + f"00:0{n}.000 --> 00:0{n + 1}.000\nline {n}").encode() for n in (1, 2, 2)]
    tracks = [
        Track("video", (raw(home / "video.mp4", [cut(clip, tmp_path, "v.mp4", "v", 10)]),)),
        Track(
            "audio",
            (raw(home / "audio-en.mp4", [cut(clip, tmp_path, "a.mp4", "a", 10)]),),
            "en",
            "English",
            default=True,
        ),
        Track("audio", (raw(home / "audio-ja.mp4", [cut(clip, tmp_path, "b.mp4", "a", 10)]),), "ja", "Nihongo"),
        Track("subtitles", (raw(home / "subtitles-de.vtt", texts),), "de", "Deutsch", forced=True),
    ]
    made = await joined(tmp_path, tracks, format_)
    with av.open(made.path) as file:
        assert [s.type for s in file.streams] == ["video", "audio", "audio", "subtitle"]
        assert [s.language for s in file.streams][1:] == ["eng", "jpn", "ger"]
        assert file.streams.subtitles[0].codec_context.name == codec
        assert [bool(s.disposition & Disposition.default) for s in file.streams.audio] == [True, False]
        assert file.streams.subtitles[0].disposition & Disposition.forced
    out = tmp_path / "out.srt"
    run_ffmpeg(clip.ffmpeg, ["-i", str(made.path), "-map", "0:s:0", str(out)])
    assert out.read_text().split("\n\n")[:2] == [
        "1\n00:00:01,000 --> 00:00:02,000\nline 1",
        "2\n00:00:02,000 --> 00:00:03,000\nline 2",
    ]
    assert not home.exists()


async def test_what_the_format_cannot_take_stays(tmp_path: Path, clip: Clip) -> None:
    video = raw(tmp_path / "t/video.mp4", [cut(clip, tmp_path, "v.mp4", "v", 10)])
    text = raw(tmp_path / "t/subtitles.vtt", [MAP.encode()])
    made = await joined(tmp_path, [Track("video", (video,)), Track("subtitles", (text,))], "ts")
    assert "they stay as they are" in made.warnings[0]
    assert text.exists()
    assert not video.exists()


async def test_a_gap_and_a_clock_that_begins_anew_beside_other_sound(tmp_path: Path, clip: Clip) -> None:
    pieces = [cut(clip, tmp_path, "v1.ts", "v", 10), cut(clip, tmp_path, "v2.ts", "v", 700)]
    hole = Gap(12.0, GapCode.SEGMENT_GONE, "404", NOON, NOON, 1.0, 1, 1)
    video = raw(tmp_path / "t/video.ts", pieces, broken=[1], gaps=[hole])
    audio = raw(tmp_path / "t/audio.ts", [cut(clip, tmp_path, "a.ts", "a", 10)])
    with pytest.raises(Unsupported, match="gaps and a clock"):
        await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    assert names(video.parent) == {"video.ts", "video.ledger", "audio.ts", "audio.ledger"}


async def test_one_track_whose_clock_begins_anew_gets_one_clock(tmp_path: Path, clip: Clip) -> None:
    pieces = [cut(clip, tmp_path, f"{n}.ts", "v", at, "-map", "0:a") for n, at in enumerate((10, 700, 3))]
    video = raw(tmp_path / "film.tracks/video.ts", pieces, broken=[1, 2])
    made = await joined(tmp_path, [Track("video", (video,))], "mp4")
    begins_s, ends_s = await ahead_s(made.path)
    assert (begins_s, ends_s) == (pytest.approx(0, abs=0.1), pytest.approx(0, abs=0.15))
    assert made.duration_s == pytest.approx(36, abs=0.3)
    assert names(tmp_path) == {"film.mp4", "film.ledger"}


async def test_subtitles_stay_where_the_clock_of_their_pictures_was_changed(tmp_path: Path, clip: Clip) -> None:
    video = raw(tmp_path / "t/video.ts", [cut(clip, tmp_path, f"{at}.ts", "v", at) for at in (10, 700)], broken=[1])
    text = raw(tmp_path / "t/subtitles.vtt", [(MAP + "00:01.000 --> 00:02.000\na").encode()])
    made = await joined(tmp_path, [Track("video", (video,)), Track("subtitles", (text,))])
    assert "begins anew" in made.warnings[0]
    assert names(video.parent) == {"subtitles.vtt", "subtitles.ledger"}


@pytest.mark.parametrize("short_s", [0.0, 2.0])
async def test_two_tracks_whose_clocks_begin_anew_together(tmp_path: Path, clip: Clip, short_s: float) -> None:
    """Sound that is shorter in each stretch is early behind each break; that is said, as nothing else would tell."""
    starts = (10, 700, 3)
    length = ("-t", str(12 - short_s)) if short_s else ()
    pictures = [cut(clip, tmp_path, f"v{n}.ts", "v", at) for n, at in enumerate(starts)]
    sounds = [cut(clip, tmp_path, f"a{n}.ts", "a", at, *length) for n, at in enumerate(starts)]
    video = raw(tmp_path / "t/video.ts", pictures, broken=[1, 2])
    audio = raw(tmp_path / "t/audio.ts", sounds, broken=[1, 2])
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    begins_s, ends_s = await ahead_s(made.path)
    assert (begins_s, ends_s) == (pytest.approx(0, abs=0.1), pytest.approx(-3 * short_s, abs=0.2))
    assert made.duration_s == pytest.approx(36, abs=0.3)
    assert ["begin anew" in each for each in made.warnings] == [True] * bool(short_s)


@pytest.mark.parametrize("full", [True, False])
async def test_what_goes_wrong_leaves_the_tracks_untouched(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    video = raw(tmp_path / "t/video.ts", [cut(clip, tmp_path, "v.ts", "v", 10)])
    audio = raw(tmp_path / "t/audio.ts", [cut(clip, tmp_path, "a.ts", "a", 10)])
    before = contents(video.parent)
    scope = anyio.CancelScope()

    async def fail(command: Sequence[str], **_options: object) -> None:
        await anyio.Path(command[-1].removeprefix("file:")).write_bytes(b"half")
        if full:
            raise ToolFailed("ffmpeg failed", errors=["No space left on device"])
        scope.cancel()
        await anyio.sleep_forever()

    monkeypatch.setattr(mux, "run", fail)
    with scope, pytest.raises(DiskFull if full else anyio.get_cancelled_exc_class()):
        await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    monkeypatch.undo()
    assert contents(video.parent) == before
    assert names(tmp_path) == {"t"}
    made = await joined(tmp_path, [Track("video", (video,)), Track("audio", (audio,))])
    assert made.path.exists()
