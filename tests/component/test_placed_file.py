"""The file of a download and its ledger, taken up again after whatever has happened to them."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ouzel.base.errors import FileBusy, OutputExists
from ouzel.engine.download.file import Complete, PlacedFile
from ouzel.model.flow import Chunk, Gap, GapCode
from ouzel.model.ledger_lines import Opening

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = b"head"
PIECES = [bytes([number]) * (5 + number) for number in range(4)]
STARTS = [4, 9, 15, 22]


def name_of(index: int) -> str | None:
    return f"piece{index}" if index < len(PIECES) else None


def line(index: int) -> Chunk:
    data = PIECES[index]
    digest = xxhash.xxh3_64_hexdigest(data)
    at_s = float(index)
    return Chunk(
        index, STARTS[index], len(data), at_s, at_s + 1, NOW, 0, False, digest, index, identity=f"piece{index}"
    )


def opened(folder: Path, named: str = "a.ts") -> PlacedFile:
    opening = Opening(named, "ts", NOW, "http://127.0.0.1/a", 1, "ouzel", download=True)
    return PlacedFile.open(folder / named, opening, HEAD, name_of)


def put(file: PlacedFile, index: int) -> None:
    file.write(STARTS[index], PIECES[index])
    file.commit(line(index))


def closed(file: PlacedFile, *gaps: Gap) -> None:
    file.close(STARTS[-1] + len(PIECES[-1]), 4.0, gaps, (), NOW)


def begun(folder: Path, *indices: int) -> None:
    file = opened(folder)
    for index in indices:
        put(file, index)
    file.release()


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    begun(tmp_path, 2, 0)
    file = opened(tmp_path)
    assert set(file.whole) == {0, 2}
    for index in (1, 3):
        put(file, index)
    closed(file)
    assert (tmp_path / "a.ts").read_bytes() == HEAD + b"".join(PIECES)
    with pytest.raises(Complete):
        opened(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_ledger_torn_at_any_byte_tells_of_what_is_there(tmp_path: Path, data: st.DataObject) -> None:
    for each in tmp_path.iterdir():
        each.unlink()
    begun(tmp_path, 3, 1, 0)
    ledger = tmp_path / "a.ledger"
    text = ledger.read_bytes()
    cut = data.draw(st.integers(text.index(b"\n") + 1, len(text)))
    ledger.write_bytes(text[:cut])
    whole = [index for index in (3, 1, 0) if text[:cut].count(b'"piece%d"' % index) and _is_whole(text, cut, index)]
    file = opened(tmp_path)
    assert list(file.whole) == sorted(whole)
    for index in range(len(PIECES)):
        if index not in file.whole:
            put(file, index)
    closed(file)
    assert (tmp_path / "a.ts").read_bytes() == HEAD + b"".join(PIECES)


def _is_whole(text: bytes, cut: int, index: int) -> bool:
    return text.index(b"\n", text.index(b'"piece%d"' % index)) < cut


@pytest.mark.parametrize("left", [0, 1, 12, 40])
def test_a_first_line_that_was_torn_begins_anew_where_no_media_is(tmp_path: Path, left: int) -> None:
    begun(tmp_path)
    ledger = tmp_path / "a.ledger"
    ledger.write_bytes(ledger.read_bytes()[:left])
    (tmp_path / "a.ts.part").write_bytes(b"")
    file = opened(tmp_path)
    assert file.whole == {}
    file.release()


def test_a_piece_whose_bytes_are_others_is_not_there(tmp_path: Path) -> None:
    begun(tmp_path, 0, 1, 2)
    part = tmp_path / "a.ts.part"
    data = bytearray(part.read_bytes())
    data[STARTS[1]] ^= 1
    part.write_bytes(data[:-1])
    file = opened(tmp_path)
    assert set(file.whole) == {0}
    file.release()


def test_a_ledger_of_another_list_is_left_alone(tmp_path: Path) -> None:
    begun(tmp_path, 0)
    ledger = tmp_path / "a.ledger"
    text = ledger.read_bytes()
    opening = Opening("a.ts", "ts", NOW, "http://127.0.0.1/b", 1, "ouzel", download=True)
    with pytest.raises(OutputExists) as raised:
        PlacedFile.open(tmp_path / "a.ts", opening, HEAD, lambda index: f"other{index}")
    assert raised.value.context["other"] is True
    assert ledger.read_bytes() == text


def test_what_is_no_ledger_of_ours_is_left_alone(tmp_path: Path) -> None:
    ledger = tmp_path / "a.ledger"
    for text in (b"accounts of the company", b"accounts\nof the company\n"):
        ledger.write_bytes(text)
        with pytest.raises(OutputExists):
            opened(tmp_path)
        assert ledger.read_bytes() == text


def test_media_without_a_ledger_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.ts.part").write_bytes(b"x")
    with pytest.raises(OutputExists):
        opened(tmp_path)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.ts.part", b"x")]


def test_closed_with_gaps_it_is_opened_again(tmp_path: Path) -> None:
    file = opened(tmp_path)
    for index in (0, 1, 3):
        put(file, index)
    closed(file, Gap(2.0, GapCode.SEGMENT_GONE, "404", NOW, NOW, 1.0, 2, 2))
    file = opened(tmp_path)
    assert set(file.whole) == {0, 1, 3}
    put(file, 2)
    closed(file)
    assert (tmp_path / "a.ts").read_bytes() == HEAD + b"".join(PIECES)
    with pytest.raises(Complete) as raised:
        opened(tmp_path)
    assert raised.value.held.gaps == []


def test_nobody_opens_what_is_held(tmp_path: Path) -> None:
    file = opened(tmp_path)
    with pytest.raises(FileBusy):
        opened(tmp_path)
    file.discard()
    opened(tmp_path).discard()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_removed_while_it_is_opened_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody lets go of a file of which nothing came, between our opening its ledger and our lock."""
    real, calls = fcntl.flock, 0

    def flock(fd: int, how: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            (tmp_path / "a.ledger").unlink()
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    file = opened(tmp_path)
    assert (tmp_path / "a.ledger").stat().st_size > 0
    file.release()


@pytest.mark.parametrize("by", [-3, -1, 1, 3, 1 << 20, (1 << 20) + 7])
def test_a_piece_is_moved_where_old_and_new_overlap(tmp_path: Path, by: int) -> None:
    file = opened(tmp_path)
    data = bytes(number * 7 % 251 for number in range((2 << 20) + 11))
    digest = xxhash.xxh3_64_hexdigest(data)
    file.write(10, data)
    chunk = Chunk(0, 10, len(data), 0.0, 1.0, NOW, 0, False, digest, 0, identity="piece0")
    file.commit(chunk)
    moved = file.move(chunk, by)
    file.commit(moved)
    assert file.read(moved.offset, len(data)) == data
    file.release()
    file = opened(tmp_path)
    assert file.whole[0].offset == 10 + by
    file.release()
