"""`ouzel download`, the real program: what the clock of the pieces says against what the playlist says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.command import ouzel
from tests.e2e.test_download import Server, media


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "vod"
    folder.mkdir()
    media(folder, "clear", "-hls_segment_filename", "clear%02d.ts")
    with Server(folder) as made, ThreadPoolExecutor(1) as beside:
        beside.submit(made.serve_forever, 0.05)
        yield made
        made.shutdown()


def download(server: Server, playlist: str, to: Path) -> dict[str, Any]:
    done = ouzel(server.url(playlist), "-o", str(to), "--json", cwd=Path("/"), command="download")
    assert done.code == 0, done.out + done.err
    return json.loads(done.out.splitlines()[-1])["downloads"][0]


def test_a_discontinuity_that_is_none_needs_no_other_format(server: Server, tmp_path: Path) -> None:
    folder, to = tmp_path / "vod", tmp_path / "out"
    listed = (folder / "clear.m3u8").read_text()
    lines = listed.splitlines(keepends=True)
    place = lines.index("clear05.ts\n") - 1
    (folder / "film.m3u8").write_text("".join([*lines[:place], "#EXT-X-DISCONTINUITY\n", *lines[place:]]))
    doc = download(server, "film.m3u8", to)
    assert (doc["format"], doc["path"], doc["warnings"]) == ("ts", str(to / "film.ts"), [])
    assert sorted(path.name for path in to.iterdir()) == ["film.ledger", "film.ts"]
    assert (to / "film.ts").read_bytes() == b"".join(path.read_bytes() for path in sorted(folder.glob("clear*.ts")))
    assert download(server, "film.m3u8", to)["fetched_bytes"] == 0


def test_a_clock_that_jumps_without_a_word_is_told(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "vod"
    lines = (folder / "clear.m3u8").read_text().splitlines(keepends=True)
    place = lines.index("clear05.ts\n") - 1
    (folder / "film.m3u8").write_text("".join([*lines[:place], *lines[place + 8 :]]))
    doc = download(server, "film.m3u8", tmp_path / "out")
    assert doc["segments"] == 8
    assert "the clock jumps" in doc["warnings"][0]
