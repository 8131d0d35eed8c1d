"""Where pieces belong, against a naive model: bytes in a list."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ouzel.model.layout import Layout, Misplaced, foreseen

HEAD = 3


class File:
    """A naive file of marked bytes: what stands where, and that nothing whole is overwritten by a move."""

    def __init__(self) -> None:
        self.bytes: dict[int, int] = {}

    def write(self, position: int, at: int, size: int, whole: dict[int, tuple[int, int]]) -> None:
        for each in range(at, at + size):
            for other, (begin, length) in whole.items():
                assert other == position or not begin <= each < begin + length, f"{position} overwrites {other}"
            self.bytes[each] = position

    def move(self, position: int, by: int, whole: dict[int, tuple[int, int]]) -> None:
        at, size = whole.pop(position)
        self.write(position, at + by, size, whole)
        whole[position] = (at + by, size)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int], list[int], list[tuple[str, int]]]:
    """True lengths; lengths that are told first; in which order things become known and whole."""
    count = draw(st.integers(1, 7))
    true = [draw(st.integers(0, 6)) for _ in range(count)]
    told = [draw(st.one_of(st.just(size), st.integers(0, 6))) for size in true]
    steps = [*(("tell", number) for number in range(count)), *(("bring", number) for number in range(count))]
    return true, told, draw(st.permutations(steps))


def straighten(layout: Layout, file: File, whole: dict[int, tuple[int, int]]) -> None:
    for position, by in layout.moves():
        file.move(position, by, whole)
        layout.stand(position, *whole[position])


@given(cases())
def test_everything_stands_in_its_place_in_the_end(case: tuple[list[int], list[int], list[tuple[str, int]]]) -> None:
    true, told, steps = case
    layout, file, whole = Layout(HEAD, len(true)), File(), dict[int, tuple[int, int]]()
    waiting: set[int] = set()

    def learn(position: int, size: int) -> None:
        try:
            layout.learn(position, size)
        except Misplaced:
            straighten(layout, file, whole)

    def bring(position: int) -> None:
        learn(position, true[position])
        if (at := layout.place(position)) is None:
            waiting.add(position)
            return
        waiting.discard(position)
        file.write(position, at, true[position], whole)
        whole[position] = (at, true[position])
        layout.stand(position, at, true[position])

    for kind, position in steps:
        if kind == "bring":
            bring(position)
        elif position not in whole and position not in waiting:
            learn(position, told[position])
        for each in sorted(waiting):
            bring(each)

    starts = [HEAD, *itertools.accumulate(true, initial=HEAD)][1:]
    assert not waiting
    assert whole == {number: (starts[number], size) for number, size in enumerate(true)}
    assert layout.end == HEAD + sum(true)
    assert layout.moves() == []


@given(cases(), st.data())
def test_a_file_with_holes_is_filled(
    case: tuple[list[int], list[int], list[tuple[str, int]]], data: st.DataObject
) -> None:
    """Taken up again: some pieces stand, with room between them that is not what is needed by now."""
    true, told, _ = case
    layout, file, whole = Layout(HEAD, len(true)), File(), dict[int, tuple[int, int]]()
    there = data.draw(st.sets(st.sampled_from(range(len(true)))))
    at = HEAD
    for position, size in enumerate(true):
        if position in there:
            file.write(position, at, size, whole)
            whole[position] = (at, size)
            at += size
        else:
            at += told[position]
    for position, (begin, size) in whole.items():
        layout.stand(position, begin, size)
    straighten(layout, file, whole)
    missing = [position for position in range(len(true)) if position not in there]
    for position in data.draw(st.permutations(missing)):
        try:
            layout.learn(position, true[position])
        except Misplaced:
            straighten(layout, file, whole)
    straighten(layout, file, whole)
    for position in missing:
        begin = layout.place(position)
        assert begin is not None
        file.write(position, begin, true[position], whole)
        whole[position] = (begin, true[position])
    starts = [*itertools.accumulate(true, initial=HEAD)]
    assert whole == {number: (starts[number], size) for number, size in enumerate(true)}


@given(cases(), st.sets(st.integers(0, 6)))
@example(
    ([2, 1, 3, 1], [2, 1, 1, 1], [("bring", 2), ("bring", 0)]), {1, 3}
)  # the room of one is right, of the other too small
def test_holes_are_filled_as_they_come(
    case: tuple[list[int], list[int], list[tuple[str, int]]], there: set[int]
) -> None:
    """Taken up again, with room that is not what is needed; each piece is written as soon as it has a place."""
    true, told, steps = case
    layout, file, whole = Layout(HEAD, len(true)), File(), dict[int, tuple[int, int]]()
    at = HEAD
    for position, size in enumerate(true):
        if position in there:
            file.write(position, at, size, whole)
            whole[position] = (at, size)
            layout.stand(position, at, size)
            at += size
        else:
            at += told[position]
    straighten(layout, file, whole)
    waiting: set[int] = set()

    def bring(position: int) -> None:
        try:
            layout.learn(position, true[position])
        except Misplaced:
            straighten(layout, file, whole)
        if (begin := layout.place(position)) is None:
            waiting.add(position)
            return
        waiting.discard(position)
        file.write(position, begin, true[position], whole)
        whole[position] = (begin, true[position])
        layout.stand(position, begin, true[position])

    for kind, position in steps:
        if kind == "bring" and position not in there:
            bring(position)
        for each in sorted(waiting):
            bring(each)
    starts = [*itertools.accumulate(true, initial=HEAD)]
    straighten(layout, file, whole)
    assert whole == {number: (starts[number], size) for number, size in enumerate(true)}


@given(st.integers(0, 4000))
def test_what_is_made_of_packets_is_foreseen(count: int) -> None:
    size = 188 * count
    encrypted = size + 16 - size % 16
    assert foreseen(encrypted) == (size or None)


@given(st.integers(-1, 100_000))
def test_nothing_is_foreseen_that_padding_forbids(encrypted: int) -> None:
    size = foreseen(encrypted)
    assert size is None or (size % 188 == 0 and 1 <= encrypted - size <= 16 and encrypted % 16 == 0)


def test_a_long_list_is_laid_out_without_looking_at_all_of_it_for_each_piece() -> None:
    count, looked = 17_000, 0
    layout = Layout(0, count)

    class Counted(list[int]):
        def __getitem__(self, at: Any) -> Any:
            nonlocal looked
            looked += 1
            return super().__getitem__(at)  # pyright: ignore[reportUnknownVariableType]

    layout._stands = Counted(layout._stands)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    for position in range(count):
        layout.learn(position, 10)
        layout.stand(position, 10 * position, 10)
    assert looked < 5 * count
