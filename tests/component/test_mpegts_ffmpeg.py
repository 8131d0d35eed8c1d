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
    """ffmpeg decodes the file and copies it into another container without a word."""
    path = folder / "played.ts"
    path.write_bytes(data)
    run("ffmpeg", "-nostdin", "-v", "warning", "-i", path, "-f", "null", "-")
    run("ffmpeg", "-nostdin", "-v", "warning", "-y", "-i", path, "-c", "copy", "-f", "matroska", folder / "copied.mkv")


def packets(data: bytes, folder: Path, kind: str) -> list[tuple[float, float]]:
    """Decode and presentation time of each frame of a track, as ffprobe reads them."""
    path = folder / "probed.ts"
    path.write_bytes(data)
    wanted = ["-select_streams", kind[0], "-show_entries", "packet=dts_time,pts_time"]
    found = json.loads(run("ffprobe", "-v", "error", "-of", "json", *wanted, path))["packets"]
    return [(float(p["dts_time"]), float(p["pts_time"])) for p in found]


def decoded_s(data: bytes, folder: Path, kind: str) -> float:
    """Length of a track once it is decoded."""
    path = folder / "decoded.ts"
    path.write_bytes(data)
    if kind == "video":
        found = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-count_frames", "-show_streams", path))
        return int(next(s for s in found["streams"] if s["codec_type"] == "video")["nb_read_frames"]) / 25
    wave = folder / "decoded.raw"
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-ac", "1", "-ar", "48000", "-f", "s16le", wave)
    return wave.stat().st_size / 2 / 48000


def rises(data: bytes, folder: Path) -> None:
    for kind in ("video", "audio"):
        times = [dts for dts, _ in packets(data, folder, kind)]
        assert all(b > a for a, b in pairwise(times)), kind


@pytest.mark.parametrize("mode", ["segments", "continuous"])
@pytest.mark.parametrize("name", ["h264", "hevc", "mpeg2", "silent", "aac", "mp2", "ac3", "opus"])
def test_a_stream_passes_and_its_chunks_add_up(make: Make, tmp_path: Path, name: str, mode: Mode) -> None:
    (data,) = make(name)
    take = shaped(TsShaper(mode), data, sizes=[50_000, 7])
    assert take.out == data
    assert len(take.heads) == 1
    kind = "video" if take.heads[0].video else "audio"
    frame_s = {"video": 0.04, "audio": 0.025}[kind]
    assert take.spans[-1].end_s == pytest.approx(decoded_s(data, tmp_path, kind), abs=frame_s)
    assert len(take.spans) == (1 if mode == "segments" else len(take.spans))
    assert all(s.independent and not s.damage and not s.repairs for s in take.spans)
    if name != "opus":  # its packets are counted as units, since nothing frames them
        assert sum(s.frames for s in take.spans) == len(packets(data, tmp_path, kind))


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
    if name != "wrap":  # ffmpeg's decoder warns of a wrap that the source itself has
        play(bytes(take.out), tmp_path)


def splice(names: Sequence[str], make: Make, mode: Mode = "segments", lost: Sequence[int] = ()) -> Take:
    shaper, take = TsShaper(mode), Take()
    for name in names:
        for number, segment in enumerate(make(name)):
            if number in lost:
                shaper.splice()
                continue
            take.feed(shaper, segment)
            take.cut(shaper)
        shaper.splice()
    return take


@pytest.mark.parametrize("mode", ["segments", "continuous"])
@pytest.mark.parametrize(
    "names", [("hls", "late", "hls"), ("late", "hls", "hls"), ("hls", "wrap", "hls"), ("h264", "hls", "h264")]
)
def test_spliced_shows_play_as_one(make: Make, tmp_path: Path, names: tuple[str, ...], mode: Mode) -> None:
    take = splice(names, make, mode)
    data = bytes(take.out)
    assert len(take.heads) == 1
    play(data, tmp_path)
    rises(data, tmp_path)
    assert take.spans[-1].end_s == pytest.approx(18.0, abs=3 * 0.05)
    assert decoded_s(data, tmp_path, "video") == pytest.approx(18.0)
    pictures = [pts for _, pts in packets(data, tmp_path, "video")]
    assert max(pictures) - min(pictures) + 0.04 == pytest.approx(take.spans[-1].end_s, abs=0.04)


def test_a_lost_segment_leaves_no_hole(make: Make, tmp_path: Path) -> None:
    take = splice(["hls"], make, lost=[1])
    play(bytes(take.out), tmp_path)
    rises(bytes(take.out), tmp_path)
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
    rises(bytes(take.out), tmp_path)
    frames = len(packets(bytes(take.out), tmp_path, "video"))
    assert sum(s.frames for s in take.spans) == frames


def test_another_resolution_is_another_file(make: Make, tmp_path: Path) -> None:
    take = splice(["hls", "large"], make)
    assert [h.video.width for h in take.heads if h.video] == [160, 320]
    for file in take.files:
        play(file, tmp_path)
    assert take.files == [b"".join(make("hls")), b"".join(make("large"))]


def test_every_file_of_a_recording_that_is_split_plays(make: Make, tmp_path: Path) -> None:
    (data,) = make("h264")
    shaper, take = TsShaper("continuous"), Take()
    for op in shaper.feed(memoryview(bytearray(data))):
        take.take([op])
        if type(op).__name__ == "Edge":
            take.open(shaper.restart())
    take.cut(shaper)
    for file, span in zip(take.files[:-1], take.spans, strict=False):
        play(file, tmp_path)
        assert decoded_s(file, tmp_path, "video") == pytest.approx(span.duration_s, abs=0.001)


# -- alternate sound ----------------------------------------------------------------------------------------------------


def weave(pictures: list[bytes], sounds: list[bytes], lost: Sequence[tuple[str, int]] = ()) -> Take:
    pair, take = TsPair(), Take()
    for number in range(max(len(pictures), len(sounds))):
        for name, shaper, segments in (("sound", pair.extra, sounds), ("picture", pair.main, pictures)):
            if (name, number) in lost:
                shaper.splice()
            elif number < len(segments):
                for op in shaper.feed(memoryview(bytearray(segments[number]))):
                    take.take([op])
                if shaper is pair.main:
                    take.cut(pair.main)
                else:
                    list(shaper.cut())
    return take


@pytest.mark.parametrize("lost", [(), (("picture", 1),), (("sound", 1),)])
def test_alternate_sound_plays_with_its_pictures(make: Make, tmp_path: Path, lost: Sequence[tuple[str, int]]) -> None:
    take = weave(make("pictures"), make("sounds"), lost)
    data = bytes(take.out)
    play(data, tmp_path)
    rises(data, tmp_path)
    lengths = [4.0, 6.0] if lost == (("sound", 1),) else [4.0, 4.0] if lost else [6.0, 6.0]
    assert decoded_s(data, tmp_path, "video") == pytest.approx(lengths[1], abs=0.05)
    assert decoded_s(data, tmp_path, "audio") == pytest.approx(lengths[0], abs=0.25)
    pictures, sounds = packets(data, tmp_path, "video"), packets(data, tmp_path, "audio")
    assert abs(pictures[0][1] - sounds[0][1]) < 0.05
    assert abs(pictures[-1][1] - sounds[-1][1]) < 0.2


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
    assert decoded_s(bytes(take.out), tmp_path, "audio") == pytest.approx(take.spans[-1].end_s, abs=0.025)
    both = weave(make("pictures"), sounds)
    play(bytes(both.out), tmp_path)
    rises(bytes(both.out), tmp_path)


def test_the_scan_agrees_with_ffprobe(make: Make, tmp_path: Path) -> None:
    (data,) = make("h264")
    result = scan([data])
    times = packets(data, tmp_path, "video")
    video = result.media[0]
    assert video.units == len(times)
    assert video.first_pts_s == pytest.approx(min(pts for _, pts in times), abs=1e-5)
    assert video.last_pts_s == pytest.approx(max(pts for _, pts in times), abs=1e-5)
    assert (result.continuity_errors, result.garbage_bytes, video.steps_back) == (0, 0, 0)
