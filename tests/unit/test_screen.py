"""The picture stays below what is written, whatever is written, and however wide the terminal is."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator import Emulator

from ouzel.daemon.screen import Screen, visible


@dataclass
class Box:
    """A terminal that shows what it is given, unless nobody reads it."""

    terminal: Emulator
    stuck: bool = False
    waiting: list[str] = field(default_factory=list[str])
    lost: int = 0
    texts: int = 0

    @property
    def empty(self) -> bool:
        return not self.waiting

    def put(self, text: str, *, dispensable: bool = False) -> bool:
        if self.stuck and dispensable:
            return False
        self.waiting.append(text)
        self.flush()
        return True

    def flush(self) -> None:
        if not self.stuck:
            for text in self.waiting:
                self.terminal.feed(text)
                self.texts += 1
            self.waiting.clear()


def screen(width: int = 20) -> tuple[Screen, Box, Emulator]:
    terminal = Emulator(width)
    box = Box(terminal)
    return Screen(box, lambda: (terminal.width, 24), lambda count: f"lost {count}"), box, terminal


def test_lines_stay_and_the_picture_moves_down() -> None:
    view, _, terminal = screen()
    view.write("before\n")
    view.paint(["one", "two"])
    view.write("first\nsecond\n")
    view.paint(["three"])
    view.write("third\n")
    assert terminal.lines == ["before", "first", "second", "third", "three"]
    view.clear()
    view.write("after\n")
    assert terminal.lines == ["before", "first", "second", "third", "after", ""]


def test_nothing_is_left_of_longer_lines() -> None:
    view, _, terminal = screen()
    view.paint(["a long line here", "another long line", "x"])
    view.paint(["short", "\x1b[31mtwo\x1b[0m"])
    assert terminal.lines == ["short", "two"]
    view.write("this is far longer than the terminal is wide\n")
    assert terminal.lines == ["this is far longer t", "han the terminal is", "wide", "short", "two"]


def test_a_picture_that_has_not_changed_is_not_drawn_again() -> None:
    view, box, _ = screen()
    view.paint(["one"])
    drawn = box.texts
    view.paint(["one"])
    assert box.texts == drawn


def test_half_a_line_waits_for_its_end() -> None:
    view, _, terminal = screen()
    view.paint(["picture"])
    view.write("first ")
    assert terminal.lines == ["picture"]
    view.write("half\nsec")
    assert terminal.lines == ["first half", "picture"]


def test_a_terminal_that_became_narrower_is_cleaned() -> None:
    view, _, terminal = screen(20)
    view.write("kept\n")
    view.paint(["a line of 18 colum", "小明小明小明"])
    terminal.width, terminal.rows = 10, ["kept", "a line of ", "18 colum", "小明小明小", "明"]
    terminal.row, terminal.column = 4, 1
    view.paint(["narrow"])
    assert terminal.lines == ["kept", "narrow"]


def test_when_nobody_reads_lines_wait_and_pictures_do_not() -> None:
    view, box, terminal = screen(40)
    view.paint(["one"])
    box.stuck = True
    view.paint(["two"])
    view.write("line\n")
    assert len(box.waiting) == 1
    view.paint(["three"])
    assert len(box.waiting) == 1
    box.stuck, box.lost = False, 3
    view.paint(["four"])
    assert terminal.lines == ["line", "lost 3", "four"]


def test_colours_take_no_room() -> None:
    assert visible("\x1b[31m小明\x1b[0m ok") == 7
