"""How a transport stream ends: with its source, or because somebody stopped. Either way what is whole is kept, nothing else, and
`verify` has nothing to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command import ouzel, proven
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
