"""Where pieces of a download may be written: never where something stands, or may have to stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.recordings import NOON

from ouzel.engine.download.file import PlacedFile
from ouzel.engine.download.taker import Place
from ouzel.formats.m3u8 import Segment
from ouzel.model.layout import Layout, Misplaced, Move
from ouzel.model.ledger_lines import Opening
from ouzel.model.pieces import Piece


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opening = Opening("film.ts", "ts", NOON, "https://example.org/a.m3u8", 1, "ouzel test", download=True)
    file = PlacedFile.open(tmp_path / "film.ts", opening, b"", str)
    yield Place(file, Layout(0, 4), "media", identity=lambda piece: str(piece.position))
    file.release()


def bring(place: Place, position: int, size: int) -> None:
    at = place.place(position)
    assert at is not None
    piece = Piece(position, float(position), Segment(f"https://example.org/{position}.ts", 1.0, position))
    place.commit(piece, at, size, "0" * 16, NOON)


def test_what_was_brought_under_a_wrong_length_is_moved(place: Place) -> None:
    for position in (0, 1):
        place.learn(position, 100)
    place.learn(2, 50)
    bring(place, 2, 50)
    with pytest.raises(Misplaced):
        place.learn(1, 120)
    assert place.layout.moves() == [Move(2, 20)]


def test_nothing_gets_a_place_while_something_has_to_move(place: Place) -> None:
    place.layout.stand(1, 0, 100)
    place.layout.stand(2, 100, 100)
    place.learn(0, 50)  # nobody was told another length, so that nothing that is being written has to stop
    assert place.crooked
    assert place.place(3) is None  # it would be 250, and what belongs before it still has to come
    place.crooked = False
    assert place.place(3) == 250


def test_what_has_no_length_yet_is_not_written_before_something(place: Place) -> None:
    assert place.place(0) == 0
    place.layout.stand(2, 300, 100)
    assert place.place(0) is None
    place.learn(0, 150)
    assert place.place(0) == 0


def test_the_room_of_what_is_missing_is_known_from_what_stands_around_it(place: Place) -> None:
    place.layout.stand(0, 0, 100)
    place.layout.stand(3, 300, 100)
    assert (place.room(1), place.room(2)) == (0, 0)
    place.learn(1, 120)
    assert place.room(2) == 80
    place.learn(2, 80)
    assert place.layout.end == 400
    assert place.layout.moves() == []
