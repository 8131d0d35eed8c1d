"""Files as downloads leave them, written by what writes them, without any network: in another order, and with holes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import xxhash
from tests.recordings import NOON, segments

from ouzel.engine.download.file import PlacedFile
from ouzel.formats.shape import Container
from ouzel.model.flow import Chunk, Gap, GapCode
from ouzel.model.ledger_lines import Opening
from ouzel.testing.clips import Clip

SOURCE = "https://example.org/vod/index.m3u8"


def download(
    folder: Path,
    clip: Clip,
    container: Container = "ts",
    *,
    lost: Sequence[int] = (),
    roomless: bool = False,
    name: str = "show",
    close: bool = True,
) -> Path:
    """Pieces of one second, the last one first; those in `lost` are missing, with a gap and their room, unless `roomless`.

    Returns: the closed file; with `close=False` what a kill leaves: `.part` and a ledger without an end.
    """
    head, parts = segments(clip, container)
    bodies = list(parts)
    path = folder / f"{name}.{container}"
    opening = Opening(path.name, container, NOON, SOURCE, 1, "ouzel test", download=True)
    file = PlacedFile.open(path, opening, head, lambda index: _name(index) if index < len(bodies) else None)
    places = [len(head)]
    for index, data in enumerate(bodies):
        places.append(places[-1] + (0 if roomless and index in lost else len(data)))
    for index in reversed(range(len(bodies))):
        if index not in lost:
            file.write(places[index], bodies[index])
            file.commit(_chunk(index, places[index], bodies[index]))
        elif close and not roomless:
            file.pad(places[index], len(bodies[index]))
    if not close:
        file.release()
        return file.part_path
    gaps = [Gap(float(n), GapCode.SEGMENT_GONE, "HTTP 404", NOON, NOON, 1.0, n, n) for n in lost]
    file.close(places[-1], float(len(bodies) - len(lost)), gaps, (), NOON + timedelta(minutes=1))
    return path


def _chunk(index: int, at: int, data: bytes) -> Chunk:
    digest, wall = xxhash.xxh3_64_hexdigest(data), NOON + timedelta(seconds=index)
    return Chunk(
        index, at, len(data), float(index), float(index + 1), wall, 0, True, digest, index, identity=_name(index)
    )


def _name(index: int) -> str:
    return f"{index:016x}"
