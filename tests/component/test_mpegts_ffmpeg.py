"""The TS shapers on what ffmpeg's muxers write, judged by ffmpeg's demuxer, decoders and remuxing."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from tests.mpegts_source import Take, shaped

from ouzel.formats.codecs import parse_adts
from ouzel.formats.mpegts import AudioPacker, TsPair, TsShaper, scan
from ouzel.formats.mpegts.shaper import Mode
from ouzel.formats.shape import Edge

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=6"]
LARGE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3"]
SOUND = ["-f", "lavfi", "-i", "sine=d=6:r=48000"]
H264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-sc_threshold", "0"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=none:frame-threads=1"]
HEVC = ["-pix_fmt", "yuv420p", *X265, "-g", "25"]
AAC = ["-c:a", "aac"]
TS = ["-f", "mpegts"]
HLS = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0"]

CASES = {
    "h264": [*PICTURE, *SOUND, *H264, *AAC, *TS],
    "hevc": [*PICTURE, *SOUND, *HEVC, *AAC, *TS],
    "mpeg2": [*PICTURE, "-f", "lavfi", "-i", "sine=d=6:r=48000", "-c:v", "mpeg2video", "-g", "25", "-c:a", "mp2", *TS],
    "silent": [*PICTURE, *H264, *TS],
    "aac": ["-f", "lavfi", "-i", "sine=d=6:r=44100", *AAC, *TS],
    "mp2": [*SOUND, "-c:a", "mp2", *TS],
    "ac3": [*SOUND, "-c:a", "ac3", *TS],
    "opus": [*SOUND, "-c:a", "libopus", *TS],
    "hls": [*PICTURE, *SOUND, *H264, *AAC, *HLS],
    "late": [*PICTURE, *SOUND, *H264, *AAC, "-output_ts_offset", "5000", *HLS],
    "wrap": [*PICTURE, *SOUND, *H264, *AAC, "-output_ts_offset", "95440", *HLS],
    "large": [*LARGE, *SOUND, "-t", "3", *H264, *AAC, *HLS],
    "pictures": [*PICTURE, *H264, *HLS],
    "sounds": [*SOUND, *AAC, *HLS],
}
Make = Callable[[str], list[bytes]]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr  # not a warning
    return done.stdout


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The segments of a case (one for a plain stream), made on first use."""
    made: dict[str, list[bytes]] = {}

    def build(name: str) -> list[bytes]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            command, target = CASES[name], folder / "out.ts"
            if "hls" in command:
                command, target = [*command, "-hls_segment_filename", str(folder / "%03d.ts")], folder / "out.m3u8"
            run("ffmpeg", "-nostdin", "-v", "error", *command, target)
            made[name] = [path.read_bytes() for path in sorted(folder.glob("*.ts"))]
        return made[name]

    return build


def play(data: bytes, folder: Path) -> None:
    """ffmpeg decodes the file, and copies it into another container, without a word."""
    path = folder / "played.ts"
    path.write_bytes(data)
    copied = ["-map", "0", "-c", "copy", "-f", "matroska", folder / "copied.mkv"]
    run("ffmpeg", "-nostdin", "-v", "warning", "-y", "-i", path, "-map", "0", "-f", "null", "-", *copied)


class Probed:
    """What ffprobe reads in a stream."""

    def __init__(self, data: bytes, folder: Path) -> None:
        path = folder / "probed.ts"
        path.write_bytes(data)
        shown = ["-show_entries", "packet=codec_type,dts_time,pts_time:stream=codec_type,nb_read_frames"]
        found = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-count_frames", *shown, path))
        self.frames = {s["codec_type"]: int(s["nb_read_frames"]) for s in found["streams"]}
        """Decoded."""
        self.packets: dict[str, list[tuple[float, float]]] = {kind: [] for kind in self.frames}
        """Decode and presentation time."""
        for packet in found["packets"]:
            self.packets[packet["codec_type"]].append((float(packet["dts_time"]), float(packet["pts_time"])))

    @property
    def rises(self) -> bool:
        return all(b[0] > a[0] for times in self.packets.values() for a, b in pairwise(times))

    def shown_s(self, kind: str) -> float:
        times = [pts for _, pts in self.packets[kind]]
        return max(times) - min(times) + 0.04


FRAME_S = {"h264": 0.04, "aac": 1024 / 44100, "mp2": 1152 / 48000, "ac3": 1536 / 48000, "opus": 0.02}


@pytest.mark.parametrize("name", ["h264", "hevc", "mpeg2", "silent", "aac", "mp2", "ac3", "opus"])
def test_a_stream_passes_and_its_chunks_add_up(make: Make, tmp_path: Path, name: str) -> None:
    (data,) = make(name)
    probed = Probed(data, tmp_path)
    kind = next(kind for kind in ("video", "audio") if kind in probed.frames)
    modes: tuple[Mode, Mode] = ("segments", "continuous")
    for mode in modes:
        take = shaped(TsShaper(mode), data, sizes=[50_000, 7])
        assert take.out == data
        assert len(take.heads) == 1
        frame_s = FRAME_S.get(name, 0.04)
        assert take.spans[-1].end_s == pytest.approx(probed.frames[kind] * frame_s, abs=frame_s)
        assert sum(s.frames for s in take.spans) == len(probed.packets[kind])
        assert len(take.spans) in ({1} if mode == "segments" else {3, 4, 6})
        assert all(s.independent and not s.damage and not s.repairs for s in take.spans)
        assert all(a.end_s == b.start_s for a, b in pairwise(take.spans))


@pytest.mark.parametrize(
    ("name", "tracks"),
    [
        ("h264", [("h264", 160, None, None), ("aac", None, 48000, 1)]),
        ("hevc", [("hevc", 160, None, None), ("aac", None, 48000, 1)]),
        ("mpeg2", [("mpeg2video", 160, None, None), ("mp2", None, 48000, 1)]),
        ("ac3", [("ac3", None, 48000, 1)]),
        ("opus", [("opus", None, 48000, 1)]),
    ],
)
def test_the_head_agrees_with_the_encoder(make: Make, name: str, tracks: list[object]) -> None:
    take = shaped(TsShaper(), *make(name))
    assert [(t.codec, t.width, t.sample_rate, t.channels) for t in take.heads[0].tracks] == tracks


@pytest.mark.parametrize("name", ["hls", "late", "wrap"])
def test_segments_of_a_playlist_are_one_file(make: Make, tmp_path: Path, name: str) -> None:
    segments = make(name)
    take = shaped(TsShaper(), *segments)
    assert take.out == b"".join(segments)
    assert take.spans[-1].end_s == pytest.approx(6.0, abs=0.04)
    assert sum(s.frames for s in take.spans) == 150
    if name != "wrap":  # ffmpeg warns of a wrap that the source itself has
        play(bytes(take.out), tmp_path)


def splice(names: Sequence[str], make: Make, mode: Mode = "segments", lost: Sequence[int] = ()) -> Take:
    shaper, take = TsShaper(mode, replays=0), Take()
    for name in names:
        for number, segment in enumerate(make(name)):
            if number in lost:
                shaper.splice()
                continue
            take.feed(shaper, segment)
            take.cut(shaper)
        shaper.splice()
    return take


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        (("hls", "late", "hls"), "segments"),
        (("hls", "wrap", "hls"), "segments"),
        (("late", "h264", "h264"), "continuous"),
    ],
)
def test_spliced_shows_play_as_one(make: Make, tmp_path: Path, names: tuple[str, ...], mode: Mode) -> None:
    take = splice(names, make, mode)
    data = bytes(take.out)
    assert len(take.heads) == 1
    play(data, tmp_path)
    probed = Probed(data, tmp_path)
    assert probed.rises
    assert take.spans[-1].end_s == pytest.approx(18.0, abs=3 * 0.04)
    assert probed.frames["video"] == 450
    assert probed.shown_s("video") == pytest.approx(take.spans[-1].end_s, abs=0.04)


def test_a_lost_segment_leaves_no_hole(make: Make, tmp_path: Path) -> None:
    take = splice(["hls"], make, lost=[1])
    play(bytes(take.out), tmp_path)
    assert Probed(bytes(take.out), tmp_path).rises
    assert take.spans[-1].end_s == pytest.approx(4.0, abs=0.06)


@pytest.mark.parametrize("kept", [1, 20_000, 40_001, 70_000])
def test_a_torn_connection_leaves_a_file_that_plays(make: Make, tmp_path: Path, kept: int) -> None:
    (data,) = make("h264")
    shaper, take = TsShaper("continuous"), Take()
    take.feed(shaper, data[: len(data) - kept])
    take.cut(shaper)
    shaper.splice()
    take.feed(shaper, data)
    take.cut(shaper)
    play(bytes(take.out), tmp_path)
    probed = Probed(bytes(take.out), tmp_path)
    assert probed.rises
    assert sum(s.frames for s in take.spans) == len(probed.packets["video"])


def test_another_resolution_is_another_file(make: Make, tmp_path: Path) -> None:
    take = splice(["hls", "large"], make)
    assert [h.video.width for h in take.heads if h.video] == [160, 320]
    assert take.files == [b"".join(make("hls")), b"".join(make("large"))]  # each with its own stamps
    for file in take.files:
        play(file, tmp_path)


def test_every_file_of_a_recording_that_is_split_plays(make: Make, tmp_path: Path) -> None:
    (data,) = make("h264")
    shaper, take = TsShaper("continuous"), Take()
    for op in shaper.feed(memoryview(bytearray(data))):
        take.take([op])
        if isinstance(op, Edge):
            take.open(shaper.restart())
    take.cut(shaper)
    assert len(take.files) == len(take.spans) == 6
    for file, span in zip(take.files, take.spans, strict=True):
        play(file, tmp_path)
        assert Probed(file, tmp_path).frames["video"] * 0.04 == pytest.approx(span.duration_s)


# -- alternate sound ----------------------------------------------------------------------------------------------------


def weave(pictures: list[bytes], sounds: list[bytes], lost: Sequence[tuple[str, int]] = ()) -> Take:
    pair, take = TsPair(), Take()
    for number in range(max(len(pictures), len(sounds))):
        if ("sound", number) in lost:
            pair.extra.splice()
        elif number < len(sounds):
            assert not list(pair.extra.feed(memoryview(bytearray(sounds[number]))))
            list(pair.extra.cut())
        if ("picture", number) in lost:
            pair.main.splice()
        elif number < len(pictures):
            take.feed(pair.main, pictures[number])
            take.cut(pair.main)
    return take


@pytest.mark.parametrize(
    ("lost", "pictures_s", "sounds_s"), [((), 6, 6), ((("picture", 1),), 4, 4), ((("sound", 1),), 6, 4)]
)
def test_alternate_sound_plays_with_its_pictures(
    make: Make, tmp_path: Path, lost: Sequence[tuple[str, int]], pictures_s: float, sounds_s: float
) -> None:
    take = weave(make("pictures"), make("sounds"), lost)
    data = bytes(take.out)
    play(data, tmp_path)
    probed = Probed(data, tmp_path)
    assert probed.rises
    assert probed.frames["video"] == pictures_s * 25
    assert probed.frames["audio"] * 1024 / 48000 == pytest.approx(sounds_s, abs=0.35)
    pictures, sounds = probed.packets["video"], probed.packets["audio"]
    assert sounds[0][0] == pytest.approx(pictures[0][0], abs=0.03)
    assert sounds[-1][1] == pytest.approx(pictures[-1][1], abs=0.2)


def packed(make: Make, tmp_path: Path) -> list[bytes]:
    """The sounds as packed audio, with the time stamps of their transport streams."""
    segments: list[bytes] = []
    for segment in make("sounds"):
        path = tmp_path / "segment.ts"
        path.write_bytes(segment)
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-c", "copy", "-f", "adts", tmp_path / "out.aac")
        first = scan([segment]).media[0].first_pts_s
        assert first is not None
        body = b"com.apple.streaming.transportStreamTimestamp\0" + struct.pack(">Q", round(first * 90_000))
        frame = b"PRIV" + bytes((0, 0, 0, len(body), 0, 0)) + body
        tag = b"ID3\x04\0\0" + bytes((0, 0, 0, len(frame))) + frame
        segments.append(tag + (tmp_path / "out.aac").read_bytes())
    return segments


def test_packed_sound_plays_alone_and_with_pictures(make: Make, tmp_path: Path) -> None:
    sounds = packed(make, tmp_path)
    take = shaped(AudioPacker(), *sounds)
    play(bytes(take.out), tmp_path)
    count = 0
    for sound in sounds:
        at = sound.index(b"\xff\xf1")
        while at < len(sound):
            count += 1
            at += parse_adts(sound[at : at + 7]).size
    assert sum(s.frames for s in take.spans) == count
    assert take.spans[-1].end_s == pytest.approx(count * 1024 / 48000, abs=0.001)
    assert Probed(bytes(take.out), tmp_path).frames["audio"] == count
    both = weave(make("pictures"), sounds)
    play(bytes(both.out), tmp_path)
    assert Probed(bytes(both.out), tmp_path).rises


def test_the_scan_agrees_with_ffprobe(make: Make, tmp_path: Path) -> None:
    (data,) = make("h264")
    result = scan([data])
    times = Probed(data, tmp_path).packets["video"]
    video = result.media[0]
    assert video.units == len(times)
    assert video.first_pts_s == pytest.approx(min(pts for _, pts in times), abs=1e-5)
    assert video.last_pts_s == pytest.approx(max(pts for _, pts in times), abs=1e-5)
    assert (result.continuity_errors, result.garbage_bytes, video.steps_back) == (0, 0, 0)
