"""Where segments of a DASH show are missing, by its clock."""

from __future__ import annotations

import pytest

from ouzel.engine.sources.ffmpeg.holes import Holes
from ouzel.formats.shape import Span


def feed(holes: Holes, *chunks: tuple[float | None, float, float]) -> list[float]:
    """Chunks of (source time, begin, end). Returns what is missing in front of each."""
    return [holes.take(Span(start_s, end_s, source_s), start_s) for source_s, start_s, end_s in chunks]


def test_a_hole_of_all_tracks_is_closed_and_counts_once() -> None:
    holes = Holes()
    assert feed(holes, (1.5, 0, 2), (5.5, 2, 4), (7.5, 4, 6)) == [0, 2.0, 0]
    assert holes.found == 1
    assert holes.rest_s(8.0, 6.0) == 0


def test_a_hole_of_the_picture_stays_in_its_chunk_and_counts_once() -> None:
    holes = Holes()
    assert feed(holes, (0.0, 0, 2), (4.0, 2, 6), (6.0, 6, 8)) == [0, 2.0, 0]
    assert holes.rest_s(8.0, 8.0) == 0


def test_what_is_missing_at_the_end_is_the_rest() -> None:
    holes = Holes()
    assert feed(holes, (0.0, 0, 2), (4.0, 2, 4)) == [0, 2.0]
    assert holes.rest_s(10.0, 4.0) == pytest.approx(4.0)
    assert holes.rest_s(6.3, 4.0) == 0, "tracks do not end together"


def test_a_chunk_without_a_picture_tells_nothing() -> None:
    holes = Holes()
    assert feed(holes, (0.0, 0, 2), (None, 2, 4), (4.0, 4, 6)) == [0, 0, 0]
    assert holes.found == 0
