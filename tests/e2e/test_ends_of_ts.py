"""How a transport stream ends: with its source, or because somebody stopped. Either way what is whole is kept, nothing else, and
`verify` has nothing to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import pytest
from tests.command import Running, ouzel, proven
from tests.e2e.decoded import check_stamps
from tests.mpegts_source import filled_up

from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin, OriginProcess

GROUPS = 3


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


@pytest.fixture(scope="module")
def film(clip: Clip) -> bytes:
    """A file whose last picture exactly fills its packets."""
    return filled_up(b"".join(path.read_bytes() for path in clip.ts_segments("av")[:GROUPS]))


def clean(path: Path) -> None:
    done = ouzel(path, command="verify", cwd=path.parent)
    assert (done.code, done.err) == (0, ""), done.out


def frames(path: Path) -> list[int]:
    return [track.frames for track in check_stamps(path)]


def test_a_last_picture_that_fills_its_packets_is_kept(origin: LiveOrigin, film: bytes, tmp_path: Path) -> None:
    (tmp_path / "film.ts").write_bytes(film)
    whole = frames(tmp_path / "film.ts")
    urls = {
        "file": origin.file("film.ts", film),
        "hls": origin.file(
            "film.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:{GROUPS},\nfilm.ts\n#EXT-X-ENDLIST\n".encode()
        ),
    }
    for name, url in urls.items():
        kept = tmp_path / name / "show.ts"
        assert ouzel(url, "--json", "-o", kept, cwd=tmp_path).code == 0
        proven(kept)
        clean(kept)
        assert frames(kept) == whole
        piece = tmp_path / f"{name}.ts"
        assert ouzel(kept, "--from", "1.5", "-o", piece, command="clip", cwd=tmp_path).code == 0
        clean(piece)
        assert frames(piece)[0] == whole[0] * (GROUPS - 1) // GROUPS
    clean(tmp_path / "film.ts")


@pytest.mark.parametrize("number", [SIGINT, SIGTERM, SIGHUP])
def test_what_a_signal_tears_is_left_out_and_blamed_on_nobody(
    origin: LiveOrigin, film: bytes, number: Signals, tmp_path: Path
) -> None:
    """Wherever the end of what had arrived is: in a packet, between two, in a picture, in sound."""
    urls = [origin.file(f"{number.name}{n}.ts", film) for n in range(3)]
    for n, url in enumerate(urls):
        origin.on(url.rpartition("/")[2]).stall(after=len(film) - 188 * (n * 9 + 3) + n * 50)
    with Running(*urls, "--json", cwd=tmp_path) as running:
        running.until_kept(GROUPS - 1, *urls)
        running.until_media(GROUPS - 1)
        running.send(number)
        done = running.end()
    assert (done.code, done.err) == (0, "")
    assert len(done.files) == len(urls)
    for path in done.files:
        assert len(proven(path).chunks) == GROUPS
        clean(path)
        check_stamps(path)


def test_what_a_broken_connection_tears_is_left_out_and_blamed_on_nobody(
    origin: LiveOrigin, film: bytes, tmp_path: Path
) -> None:
    url = origin.file("breaks.ts", film)
    origin.on("breaks.ts").reset(after=len(film) - 1000, times=1).status(404)
    done = ouzel(url, "--json", "--park", "0", cwd=tmp_path)
    (path,) = done.files
    assert len(proven(path).chunks) == GROUPS
    assert all(not chunk.damage for chunk in proven(path).chunks)
    said = ouzel(path, "--json", command="verify", cwd=tmp_path)
    assert "noted_damage" not in said.out
    assert "truncated" not in said.out
