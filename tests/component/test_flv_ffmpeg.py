"""What the FLV shaper makes of streams that ffmpeg wrote, read again by ffmpeg."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import av
import pytest
from tests.flv_source import Recorder

from ouzel.formats.flv import FlvRules, finish, modernise
from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, read_tags, render_tag

SECONDS = 8
FRAMES = 25 * SECONDS
HEADER_SIZE = 13


def run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def ffmpeg(*words: str | Path) -> None:
    run("ffmpeg", "-hide_banner", "-v", "error", "-nostdin", "-y", *words)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """H.264 with B-frames and AAC, as ffmpeg's own muxer writes it for a live stream."""
    path = tmp_path_factory.mktemp("flv") / "source.flv"
    picture = f"testsrc=size=160x90:rate=25:duration={SECONDS}"
    tone = f"sine=frequency=440:sample_rate=44100:duration={SECONDS}"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-sc_threshold", "0"]
    coding += ["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k"]
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *coding, "-flvflags", "no_duration_filesize", path)
    return path.read_bytes()


@dataclass
class Stream:
    """The opening of a stream and its groups of pictures, each a list of tags (kind, stamp, body)."""

    opening: bytes
    groups: list[list[tuple[int, int, bytes]]]

    def bytes_of(self, first: int, last: int, *, shift: int = 0) -> bytes:
        tags = [tag for group in self.groups[first:last] for tag in group]
        return b"".join(render_tag(kind, (stamp + shift) % 2**32, body) for kind, stamp, body in tags)


@pytest.fixture(scope="session")
def stream(source: bytes) -> Stream:
    opening, groups = source[:HEADER_SIZE], list[list[tuple[int, int, bytes]]]()
    for tag in read_tags(source, HEADER_SIZE):
        body = bytes(tag.body)
        if not groups and (tag.kind == SCRIPT or body[1] == 0):
            opening += render_tag(tag.kind, tag.stamp, body)
            continue
        if tag.kind == VIDEO and body[1] == 2:
            continue
        if tag.kind == VIDEO and body[0] == 0x17:
            groups.append([])
        groups[-1].append((tag.kind, tag.stamp, body))
    return Stream(opening, groups)


def write(recorder: Recorder, path: Path, number: int = 0) -> Path:
    """As a consumer does: head, chunks, and the patches of a closed file."""
    file = recorder.files[number]
    head, media = file.head.data, file.media
    keys, at = [], len(head)
    for data, span in file.chunks:
        keys += [(key.at_s, at + key.offset) for key in span.keys]
        at += len(data)
    whole = bytearray(head + media)
    for offset, data in finish(head, keys, duration_s=file.spans[-1].end_s, size=len(whole)):
        whole[offset : offset + len(data)] = data
    path.write_bytes(whole)
    return path


def decoded(path: Path, kind: str) -> list[int]:
    """Time stamps (ms) of all frames that come out of the decoder."""
    words = ["-select_streams", kind, "-show_entries", "frame=pts", "-of", "json", path]
    frames = json.loads(run("ffprobe", "-v", "error", *words))["frames"]
    return [int(frame["pts"]) for frame in frames]


def check(path: Path, *, frames: int = FRAMES, seconds: float = SECONDS) -> None:
    ffmpeg("-xerror", "-i", path, "-f", "null", "-")
    video, audio = decoded(path, "v:0"), decoded(path, "a:0")
    assert len(video) == frames
    for stamps in (video, audio):
        assert all(a < b for a, b in pairwise(stamps))
        assert max(b - a for a, b in pairwise(stamps)) < 90
    told = json.loads(run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", path))
    assert float(told["format"]["duration"]) == pytest.approx(seconds, abs=0.1)
    assert (video[-1] - video[0]) / 1000 + 0.04 == pytest.approx(seconds, abs=0.05)


def test_a_stream_is_kept_as_it_is(source: bytes, tmp_path: Path) -> None:
    rng = Random(1)
    recorder = Recorder()
    at = 0
    while at < len(source):
        size = rng.randint(1, 9000)
        recorder.feed(source[at : at + size])
        at += size
    recorder.cut().check()
    assert [span.frames for span in recorder.file.spans] == [25] * SECONDS
    path = write(recorder, tmp_path / "out.flv")
    check(path)
    video = recorder.file.head.video
    assert video is not None
    assert (video.codec, video.width, video.height) == ("h264", 160, 90)


def test_frames_are_the_same_after_jumps_and_reconnects(stream: Stream, tmp_path: Path) -> None:
    broken = stream.bytes_of(4, 5)
    recorder = Recorder()
    recorder.feed(stream.opening + stream.bytes_of(0, 2, shift=3_600_000) + stream.bytes_of(2, 4) + broken[:9000])
    recorder.reconnect(
        stream.opening + stream.bytes_of(3, 6) + stream.bytes_of(5, 6) + stream.bytes_of(6, 8, shift=99_999)
    )
    recorder.cut().check()
    assert (len(recorder.replays), recorder.taken_back) == (2, 1)
    path = write(recorder, tmp_path / "out.flv")
    check(path)

    plain = tmp_path / "plain.flv"
    plain.write_bytes(stream.opening + stream.bytes_of(0, 8))
    pictures = [run("ffmpeg", "-v", "error", "-i", p, "-map", "v", "-f", "framemd5", "-") for p in (path, plain)]
    sums = [[line.split(",")[-1] for line in text.splitlines() if not line.startswith("#")] for text in pictures]
    assert sums[0] == sums[1]


def test_split_files_play_each_from_zero(stream: Stream, tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.split_at = 4
    recorder.feed(stream.opening + stream.bytes_of(0, 8, shift=2**32 - 2500)).cut().check()
    for number in (0, 1):
        path = write(recorder, tmp_path / f"out{number}.flv", number)
        check(path, frames=100, seconds=4)
        assert decoded(path, "v:0")[0] <= 100


def test_the_index_is_used_to_seek(stream: Stream, tmp_path: Path) -> None:
    recorder = Recorder().feed(stream.opening + stream.bytes_of(0, 8)).cut()
    path = write(recorder, tmp_path / "out.flv")
    with av.open(str(path)) as container:
        index = [entry.pos for entry in container.streams.video[0].index_entries if entry.is_keyframe]
        container.seek(5_500_000)
        packet = next(p for p in container.demux(container.streams.video[0]))
        assert packet.is_keyframe
        assert packet.dts == 5000
    data = path.read_bytes()
    assert len(index) >= SECONDS
    assert all(data[at + 11] == 0x17 for at in index[:SECONDS])
    path.write_bytes(recorder.file.head.data + recorder.file.media)
    with av.open(str(path)) as container:  # never closed: it plays, but what is not read yet is not known
        assert len(container.streams.video[0].index_entries) < SECONDS


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("closed", [True, False])
def test_ffmpeg_has_nothing_to_complain_about_in_a_short_file(
    stream: Stream, tmp_path: Path, groups: int, closed: bool
) -> None:
    recorder = Recorder().feed(stream.opening + stream.bytes_of(0, groups)).cut()
    path = write(recorder, tmp_path / "short.flv")
    if not closed:
        path.write_bytes(recorder.file.head.data + recorder.file.media)
    said = subprocess.run(
        ["ffprobe", "-v", "warning", "-show_entries", "format=nb_streams", "-of", "csv=p=0", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout, said.stderr) == ("2\n", "")


def test_hevc_by_codec_id_is_modernised_for_ffmpeg(tmp_path: Path) -> None:
    path = tmp_path / "hevc.mp4"
    picture = "testsrc=size=160x90:rate=25:duration=2"
    coding = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=2"]
    coding += ["-pix_fmt", "yuv420p", "-tag:v", "hvc1"]
    ffmpeg("-f", "lavfi", "-i", picture, *coding, path)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        record = bytes(video.codec_context.extradata or b"")
        packets = [(p.dts, p.pts, p.is_keyframe, bytes(p)) for p in container.demux(video) if p.size]
        scale = 1000 * video.time_base
    first = int(packets[0][0] * scale)
    data = b"FLV\x01\x01\0\0\0\x09\0\0\0\0" + render_tag(VIDEO, 0, b"\x1c\0\0\0\0" + record)
    for dts, pts, key, payload in packets:
        at, cts = int(dts * scale) - first, int(pts * scale) - int(dts * scale)
        data += render_tag(VIDEO, at, bytes([0x1C if key else 0x2C, 1]) + cts.to_bytes(3, "big") + payload)
    recorder = Recorder(FlvRules(index_room=10)).feed(data).cut().check()
    assert recorder.file.head.video is not None
    assert (recorder.file.head.video.codec, recorder.file.head.video.width) == ("hevc", 160)
    assert [span.frames for span in recorder.file.spans] == [25, 25]

    modern = tmp_path / "modern.flv"
    modern.write_bytes(b"".join(modernise([recorder.file.head.data, recorder.file.media])))
    with av.open(str(modern)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        times = [frame.pts for frame in container.decode(video=0)]
    assert len(times) == 50
    assert all(a < b for a, b in pairwise(times))

    again = Recorder(FlvRules(index_room=10)).feed(modern.read_bytes()).cut().check()
    assert [span.frames for span in again.file.spans] == [25, 25]
    assert again.file.head.tracks == recorder.file.head.tracks


def test_sound_only_and_mp3(tmp_path: Path) -> None:
    for codec in ("aac", "libmp3lame"):
        path = tmp_path / f"{codec}.flv"
        ffmpeg("-f", "lavfi", "-i", "sine=sample_rate=44100:duration=5", "-c:a", codec, "-vn", path)
        recorder = Recorder().feed(path.read_bytes()).cut().check()
        out = write(recorder, tmp_path / f"out-{codec}.flv")
        stamps, before = decoded(out, "a:0"), decoded(path, "a:0")
        assert len(stamps) == len(before)
        assert recorder.file.spans[-1].end_s == pytest.approx(5, abs=0.08)
        assert all(span.independent for span in recorder.file.spans)
        assert all(tag.kind == AUDIO for tag in recorder.file.tags)
