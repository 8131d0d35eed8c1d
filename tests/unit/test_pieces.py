"""Lists of pieces: cut from playlists and files, told apart, long."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import pytest
from tests.downloaded import playlist

from ouzel.formats.m3u8 import MediaPlaylist, parse
from ouzel.model.layout import Layout
from ouzel.model.pieces import RANGE_BYTES, identifier, pieces_of, ranges_of, stretches


def listed(count: int, token: str = "t", **options: object) -> MediaPlaylist:
    uris = [
        f"https://cdn.example.org/some/folder/segment-{number:06}.ts?token={token}{number}" for number in range(count)
    ]
    parsed = parse(playlist(uris, **options), base_url="https://example.org/film.m3u8")  # type: ignore[arg-type]
    assert isinstance(parsed, MediaPlaylist)
    return parsed


def test_a_part_of_the_programme_is_what_lies_in_it() -> None:
    pieces = pieces_of(listed(10, before={4: "#EXT-X-DISCONTINUITY", 7: "#EXT-X-DISCONTINUITY"}), 4.5, 8.0)
    assert [piece.segment.media_sequence for piece in pieces] == [4, 5, 6, 7]
    assert [piece.position for piece in pieces] == [0, 1, 2, 3]
    assert [piece.at_s for piece in pieces] == [0, 1, 2, 3]
    assert [piece.discontinuity for piece in pieces] == [False, False, False, True]


@pytest.mark.parametrize("size", [1, RANGE_BYTES - 1, RANGE_BYTES, RANGE_BYTES + 1, 10 * RANGE_BYTES + 7, 1 << 40])
def test_ranges_are_the_whole_file_and_no_byte_twice(size: int) -> None:
    pieces = ranges_of("https://example.org/a", size)
    spans = [piece.segment.byte_range for piece in pieces]
    assert len(pieces) <= 4096
    end = 0
    for span in spans:
        assert span is not None
        assert (span.offset, span.length > 0) == (end, True)
        end = span.end
    assert end == size


def test_another_init_segment_is_another_stretch() -> None:
    maps = {0: '#EXT-X-MAP:URI="i"', 3: '#EXT-X-MAP:URI="j"', 5: '#EXT-X-MAP:URI="i"'}
    assert [len(stretch.pieces) for stretch in stretches(pieces_of(listed(8, before=maps)))] == [3, 2, 3]


def test_a_piece_is_the_same_under_a_fresh_address() -> None:
    old, new = pieces_of(listed(20, "old")), pieces_of(listed(20, "new"))
    one, other = identifier(old), identifier(new)
    assert [*map(one, old)] == [*map(other, new)]
    assert len({*map(one, old)}) == 20


def test_each_piece_of_a_long_list_takes_as_little_as_of_a_short_one() -> None:
    def taken(count: int) -> float:
        text = listed(count)  # what is made once is made
        tracemalloc.start()
        held = pieces_of(text)
        now, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(held) == count
        return now / count

    assert taken(17_000) < 1.2 * taken(500)


def test_a_list_that_is_read_takes_as_much_for_each_segment_however_long_it_is() -> None:
    def taken(count: int) -> float:
        tracemalloc.start()
        held = listed(count)
        now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(held.segments) == count
        assert most < 3 * now
        return now / count

    assert taken(17_000) < 1.2 * taken(500)


def calls(work: Callable[[], object]) -> int:
    """Functions that were called in it, those of C included."""
    count = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_the_work_for_each_segment_is_the_same_however_long_the_list_is() -> None:
    """From the text to the names and places of all pieces, the last of which is known first."""

    def work(text: bytes) -> None:
        parsed = parse(text, base_url="https://example.org/film.m3u8")
        assert isinstance(parsed, MediaPlaylist)
        pieces = pieces_of(parsed)
        assert len({*map(identifier(pieces), pieces)}) == len(pieces)
        assert len([*stretches(pieces)]) == 1
        layout = Layout(0, len(pieces))
        for piece in reversed(pieces):
            layout.learn(piece.position, 10)
        assert layout.end == 10 * len(pieces)

    def each(count: int) -> float:
        text = playlist([f"segment-{number:06}.ts?token={number}" for number in range(count)])
        return calls(lambda: work(text)) / count

    assert each(17_000) < 1.1 * each(500)
