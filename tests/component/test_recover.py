"""After a crash: what is kept, what is said to be lost, and that dying again in the middle changes nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.recordings import CONTAINERS, NOON, record

from ouzel.base.errors import InputError
from ouzel.engine import ledgers
from ouzel.engine.convert import convert
from ouzel.engine.probe import probe
from ouzel.engine.recover import recover
from ouzel.engine.recover_file import DAMAGED, Disk
from ouzel.engine.sinks.file import CONVERTING
from ouzel.engine.verify import verify
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.flow import GapCode
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import CutLine
from ouzel.model.recovery import Outcome, Recovered
from ouzel.model.verdict import FindingCode, Verdict
from ouzel.testing.clips import Clip
from ouzel.testing.clock import FakeClock
from ouzel.testing.disk import tiny_disk

pytestmark = pytest.mark.anyio


def read_ledger(folder: Path) -> Ledger:
    return ledger.read((folder / "show.ledger").read_bytes())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def crash(folder: Path, clip: Clip, container: Container = "ts") -> Path:
    """What a killed recorder leaves: the last chunk unfinished (5,000 bytes of it), and its line torn."""
    part = record(folder, clip, container, close=False)
    os.truncate(part, read_ledger(folder).chunks[-1].offset + 5000)
    book = folder / "show.ledger"
    lines = book.read_bytes().splitlines(keepends=True)
    book.write_bytes(b"".join(lines[:-1]) + lines[-1][:60])
    return part


def read_head(part: Path) -> bytes:
    held = read_ledger(part.parent).head
    assert held is not None
    return part.read_bytes()[: held.length]


def damage_head(media: Path) -> None:
    """One bit in the last byte before the first chunk, which is in no field that is filled in when a file is closed."""
    place = read_ledger(media.parent).media_start - 1
    data = bytearray(media.read_bytes())
    data[place] ^= 1
    media.write_bytes(data)


def content(done: Recovered) -> bytes:
    return Path(done.path).read_bytes()


async def only(folder: Path, **options: object) -> Recovered:
    (done,) = await recover(folder, **options)  # type: ignore[arg-type]
    return done


@pytest.mark.parametrize("container", CONTAINERS)
async def test_all_whole_chunks_are_kept_and_the_file_plays(tmp_path: Path, clip: Clip, container: Container) -> None:
    crash(tmp_path, clip, container)
    done = await only(tmp_path)
    assert (done.outcome, done.chunks, done.cut_bytes, done.lost_chunks) == (Outcome.CLOSED, 11, 5000, 0)
    assert done.media_s == pytest.approx(11.0, abs=0.1)
    assert not done.is_whole
    assert names(tmp_path) == {f"show.{container}", "show.ledger"}
    found = await probe(Path(done.path), depth="decode")
    assert found.video is not None
    assert (found.video.frames, found.error) == (clip.frames - clip.rate, "")
    verdict = await verify(Path(done.path))
    assert (verdict.status, verdict.findings) == ("clean", ())
    closing = read_ledger(tmp_path).closing
    assert closing is not None
    assert closing.reason == "recovered"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_the_file_is_closed_as_a_recorder_would_close_it(
    tmp_path: Path, clip: Clip, container: Container
) -> None:
    with record(tmp_path / "crashed", clip, container, close=False).open("ab") as file:
        file.write(b"\x47" * 5000)
    done = await only(tmp_path / "crashed")
    closed = record(tmp_path / "closed", clip, container)
    assert content(done) == closed.read_bytes()


@pytest.mark.parametrize("zeros", [False, True], ids=["short", "zeros"])
async def test_chunks_that_never_reached_the_disk_become_a_gap(tmp_path: Path, clip: Clip, zeros: bool) -> None:
    part = record(tmp_path, clip, close=False)
    tenth = read_ledger(tmp_path).chunks[9]
    os.truncate(part, tenth.offset + 1000)
    if zeros:
        os.truncate(part, tenth.offset + 100_000)
    done = await only(tmp_path)
    assert (done.chunks, done.lost_chunks, done.lost_s) == (9, 3, pytest.approx(3.0))
    held = read_ledger(tmp_path)
    (gap,) = held.gaps
    assert (gap.code, gap.first_sequence, gap.last_sequence) == (GapCode.RECORDER_STOPPED, 9, 11)
    assert (gap.at_s, gap.missing_s) == (pytest.approx(9.0, abs=0.1), 3.0)
    assert (gap.wall_start, gap.wall_end) == (NOON + timedelta(seconds=9), NOON + timedelta(seconds=12))
    assert (await verify(Path(done.path))).status == "gaps"


async def test_damage_in_the_middle_does_not_cost_what_follows(tmp_path: Path, clip: Clip) -> None:
    part = record(tmp_path, clip, close=False)
    third = read_ledger(tmp_path).chunks[3]
    with part.open("r+b") as file:
        file.seek(third.offset)
        file.write(bytes(4096))
    done = await only(tmp_path)
    assert (done.chunks, done.damaged, done.cut_bytes, done.lost_chunks) == (12, (3,), 0, 0)
    assert not done.is_whole
    verdict = await verify(Path(done.path))
    assert verdict.status == "damaged"
    assert verdict.findings[0].code is FindingCode.BYTES_CHANGED


async def test_a_chunk_that_was_taken_back_stays_away(tmp_path: Path, clip: Clip) -> None:
    part = record(tmp_path, clip, close=False)
    ledgers.append(tmp_path / "show.ledger", [CutLine(11)])
    size = part.stat().st_size
    done = await only(tmp_path)
    assert (done.chunks, done.lost_chunks) == (11, 0)
    assert done.cut_bytes == size - done.bytes > 0


async def test_a_file_that_was_closed_but_has_not_got_its_name(tmp_path: Path, clip: Clip) -> None:
    closed = record(tmp_path, clip, "mp4")
    before, book = closed.read_bytes(), (tmp_path / "show.ledger").read_bytes()
    closed.rename(tmp_path / "show.mp4.part")
    done = await only(tmp_path)
    assert (done.outcome, done.is_whole) == (Outcome.CLOSED, True)
    assert closed.read_bytes() == before
    assert (tmp_path / "show.ledger").read_bytes() == book


async def test_a_head_that_was_not_on_the_disk_when_the_power_failed_is_finished_again(
    tmp_path: Path, clip: Clip
) -> None:
    """The closing line and the index are there, what was written into the head is not."""
    head = read_head(record(tmp_path / "running", clip, "mp4", close=False))
    closed = record(tmp_path / "closed", clip, "mp4")
    whole = closed.read_bytes()
    assert whole[: len(head)] != head
    closed.with_name("show.mp4.part").write_bytes(head + whole[len(head) :])
    closed.unlink()
    done = await only(tmp_path / "closed")
    assert (done.outcome, content(done)) == (Outcome.CLOSED, whole)
    assert (await verify(closed)).status == "clean"


async def test_a_head_that_was_damaged_while_it_was_closed_stays_told(tmp_path: Path, clip: Clip) -> None:
    closed = record(tmp_path, clip, "mp4")
    damage_head(closed)
    closed.rename(tmp_path / "show.mp4.part")
    await only(tmp_path)
    assert [f.code for f in (await verify(closed)).findings] == [FindingCode.BYTES_CHANGED]


@pytest.mark.parametrize("container", ["mp4", "flv"])
async def test_a_recovered_file_has_a_digest_of_its_head(tmp_path: Path, clip: Clip, container: Container) -> None:
    crash(tmp_path, clip, container)
    media = Path((await only(tmp_path)).path)
    assert (await verify(media)).status == "clean"
    damage_head(media)
    assert [f.code for f in (await verify(media)).findings] == [FindingCode.BYTES_CHANGED]


async def test_gaps_behind_the_end_that_is_left_stand_at_it(tmp_path: Path, clip: Clip) -> None:
    part = record(tmp_path, clip, lost=[6], close=False)
    os.truncate(part, read_ledger(tmp_path).chunks[4].offset)
    done = await only(tmp_path)
    book = read_ledger(tmp_path)
    assert done.media_s == pytest.approx(4.0, abs=0.1)
    assert [gap.at_s for gap in book.gaps] == [pytest.approx(4.0, abs=0.1)] * 2
    assert (await verify(tmp_path / "show.ts")).status == "gaps"


async def test_a_disk_that_is_full_is_no_success(tmp_path: Path, clip: Clip) -> None:
    """It takes a part of the last line, and says so only when it is asked for the rest."""
    with tiny_disk(tmp_path / "disk", megabytes=2) as folder:
        record(folder, clip, close=False)
        book = folder / "show.ledger"
        pad = (50 - book.stat().st_size) % 4096
        first, *others = book.read_bytes().splitlines(keepends=True)
        body = first.rpartition(b',"x"')[0].replace(b'"source":"', b'"source":"' + b"x" * (pad - 60), 1)
        book.write_bytes(b"".join((body + b',"x":"%08x"}\n' % zlib.crc32(body), *others)))
        with (folder / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))
        (done,) = await recover(folder)
        assert done.outcome is Outcome.FAILED
        (folder / "filler").unlink()
        (done,) = await recover(folder)
        assert done.outcome is Outcome.CLOSED
        assert (await verify(folder / "show.ts")).status == "clean"


async def test_a_closing_line_that_promises_too_much_is_void(tmp_path: Path, clip: Clip) -> None:
    """The power failed while the file was being closed: the ledger is on the disk, the end of the media is not."""
    closed = record(tmp_path, clip, "mp4")
    whole = closed.read_bytes()
    closed.rename(tmp_path / "show.mp4.part")
    os.truncate(tmp_path / "show.mp4.part", len(whole) - 10)
    done = await only(tmp_path)
    assert (done.outcome, done.chunks) == (Outcome.CLOSED, 12)
    assert closed.read_bytes() == whole
    assert (await verify(closed)).status == "clean"


async def test_what_is_being_recorded_is_left_alone(tmp_path: Path, clip: Clip) -> None:
    part = crash(tmp_path, clip)
    before = part.read_bytes()
    with (tmp_path / "show.ledger").open("rb") as recorder:
        fcntl.flock(recorder, fcntl.LOCK_EX)
        assert (await only(tmp_path)).outcome is Outcome.BUSY
    assert part.read_bytes() == before


# -- without a good ledger ----------------------------------------------------------------------------------------------


@pytest.fixture
def later() -> FakeClock:
    """Long after the files of a test were written."""
    clock = FakeClock(NOON)
    clock.jump(10 * 365 * 86400)
    return clock


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_lost_ledger_is_made_again(tmp_path: Path, clip: Clip, later: FakeClock, container: Container) -> None:
    crash(tmp_path, clip, container)
    (tmp_path / "show.ledger").unlink()
    done = await only(tmp_path, clock=later)
    assert done.outcome is Outcome.REBUILT
    held = read_ledger(tmp_path)
    assert held.opening.rebuilt
    whole = clip.frames - clip.rate
    assert whole <= sum(chunk.frames for chunk in held.chunks) < clip.frames  # of the last chunk too, what is whole
    assert (await verify(Path(done.path))).status == "clean"


async def test_a_ledger_that_is_damaged_in_its_middle_gives_its_gaps_to_the_new_one(tmp_path: Path, clip: Clip) -> None:
    record(tmp_path, clip, lost=[2], close=False)
    book = tmp_path / "show.ledger"
    lines = book.read_bytes().splitlines(keepends=True)
    lines[8] = lines[8].replace(b'"k":"chunk"', b'"k":"chonk"')
    book.write_bytes(b"".join(lines))
    done = await only(tmp_path)
    assert done.outcome is Outcome.REBUILT
    held = read_ledger(tmp_path)
    assert [gap.first_sequence for gap in held.gaps] == [2]
    assert (len(held.runs), held.opening.started, held.opening.source) == (1, NOON, "https://example.org/live")
    assert (tmp_path / f"show.ledger{DAMAGED}").read_bytes() == b"".join(lines)


async def test_what_another_program_may_be_writing_is_left_alone(tmp_path: Path, clip: Clip) -> None:
    shutil.copy(record(tmp_path / "x", clip), tmp_path / "download.ts.part")
    shutil.rmtree(tmp_path / "x")
    assert (await only(tmp_path)).outcome is Outcome.BUSY
    assert names(tmp_path) == {"download.ts.part"}


async def test_what_cannot_be_read_is_left_alone(tmp_path: Path, later: FakeClock) -> None:
    contents = {
        "a.ts.part": b"<html>" * 1000,
        "b.mp4.part": bytes(10_000),
        "c.flv.part": b"FLV\x01\x05",
        "d.ts.part": b"",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    done = await recover(tmp_path, clock=later)
    assert {d.outcome for d in done} == {Outcome.UNREADABLE}
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == contents


async def test_media_behind_garbage_is_not_cut_off(tmp_path: Path, clip: Clip, later: FakeClock) -> None:
    whole = record(tmp_path / "x", clip).read_bytes()
    (tmp_path / "show.ts.part").write_bytes(whole + bytes(range(1, 256)) * 4000 + whole)
    shutil.rmtree(tmp_path / "x")
    done = await only(tmp_path, clock=later)
    assert done.outcome is Outcome.UNREADABLE
    assert (tmp_path / "show.ts.part").stat().st_size == 2 * len(whole) + 255 * 4000


# -- whatever else lies about ---------------------------------------------------------------------------------------------


async def test_before_the_first_chunk_there_is_nothing_to_keep(tmp_path: Path, clip: Clip) -> None:
    part = record(tmp_path, clip, "mp4", close=False)
    os.truncate(part, read_ledger(tmp_path).chunks[0].offset)
    lines = (tmp_path / "show.ledger").read_bytes().splitlines(keepends=True)
    (tmp_path / "show.ledger").write_bytes(b"".join(lines[:2]))
    assert (await only(tmp_path)).outcome is Outcome.EMPTY
    assert names(tmp_path) == set()


async def test_a_file_of_the_final_name_is_not_replaced(tmp_path: Path, clip: Clip) -> None:
    crash(tmp_path, clip)
    (tmp_path / "show.ts").write_bytes(b"mine")
    assert (await only(tmp_path)).outcome is Outcome.BLOCKED
    assert names(tmp_path) == {"show.ts", "show.ts.part", "show.ledger"}


async def test_ledgers_without_media(tmp_path: Path, clip: Clip) -> None:
    record(tmp_path, clip).unlink()
    assert (await only(tmp_path)).outcome is Outcome.ORPHAN
    lines = (tmp_path / "show.ledger").read_bytes().splitlines(keepends=True)
    (tmp_path / "show.ledger").write_bytes(lines[0])
    assert (await only(tmp_path)).outcome is Outcome.EMPTY
    (tmp_path / "books.ledger").write_text("2026-11-22 * groceries\n")
    assert await recover(tmp_path) == []
    assert names(tmp_path) == {"books.ledger"}


async def test_what_is_left_of_a_conversion(tmp_path: Path, clip: Clip) -> None:
    record(tmp_path, clip)
    left = tmp_path / ("show.mp4" + CONVERTING)
    left.write_bytes(b"half")
    (tmp_path / ("notes.txt" + CONVERTING)).write_bytes(b"not ours")
    with left.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (await only(tmp_path)).outcome is Outcome.BUSY
    assert (await only(tmp_path)).outcome is Outcome.LEFTOVER
    assert names(tmp_path) == {"show.ts", "show.ledger", "notes.txt" + CONVERTING}


async def test_a_folder_in_order_is_left_as_it_is(tmp_path: Path, clip: Clip) -> None:
    for container in CONTAINERS:
        record(tmp_path / container, clip, container, lost=[3])
    assert await recover(tmp_path) == []


async def test_a_wrong_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        await recover(tmp_path / "nothing")


async def test_a_head_that_is_no_head_costs_no_other_file(tmp_path: Path, clip: Clip) -> None:
    """All chunks agree, but there is nothing to write the duration into."""
    bad, good = record(tmp_path, clip, "mp4", close=False), record(tmp_path, clip, "mp4", name="after", close=False)
    bad.write_bytes(bytes(1000) + bad.read_bytes()[1000:])
    done = {Path(d.path).name: d.outcome for d in await recover(tmp_path)}
    assert done == {"show.mp4.part": Outcome.UNREADABLE, "after.mp4": Outcome.CLOSED}
    assert names(tmp_path) == {bad.name, "show.ledger", "after.mp4", "after.ledger"}
    assert not good.exists()


async def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, clip: Clip) -> None:
    class Broken(Disk):
        def sync(self, fd: int) -> None:
            raise OSError(5, "Input/output error")

    crash(tmp_path / "a", clip)
    crash(tmp_path / "b", clip)
    told: list[str] = []
    done = await recover(tmp_path, disk=Broken(), on_file=lambda r: told.append(r.path))
    assert [d.outcome for d in done] == [Outcome.FAILED] * 2
    assert "Input/output error" in done[0].detail
    assert told == [d.path for d in done]


# -- dying again ------------------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    pass


class MortalDisk(Disk):
    """Dies before its n-th step, or in the middle of it."""

    def __init__(self, steps: int, *, half: bool) -> None:
        self.steps = steps
        self.half = half

    def _step(self) -> bool:
        self.steps -= 1
        if self.steps == 0 and not self.half:
            raise PowerCut
        return self.steps == 0

    def truncate(self, fd: int, size: int) -> None:
        dies = self._step()
        super().truncate(fd, size)
        self._die(dies)

    def append(self, fd: int, data: bytes) -> None:
        dies = self._step()
        super().append(fd, data[: len(data) // 2] if dies else data)
        self._die(dies)

    def patch(self, fd: int, data: bytes, offset: int) -> None:
        dies = self._step()
        super().patch(fd, data[: len(data) // 2] if dies else data, offset)
        self._die(dies)

    def sync(self, fd: int) -> None:
        dies = self._step()
        super().sync(fd)
        self._die(dies)

    def rename(self, path: Path, name: Path) -> None:
        dies = self._step()
        super().rename(path, name)
        self._die(dies)

    def create(self, path: Path, data: bytes) -> None:
        dies = self._step()
        super().create(path, data)
        self._die(dies)

    def _die(self, dies: bool) -> None:
        if dies:
            raise PowerCut


def wreck(folder: Path, clip: Clip, container: Container, *, how: str) -> None:
    part = crash(folder, clip, container)
    if how == "ledger lost":
        (folder / "show.ledger").unlink()
    elif how == "chunks lost":
        os.truncate(part, ledger.read((folder / "show.ledger").read_bytes()).chunks[9].offset + 7)


@pytest.mark.parametrize("how", ["unfinished", "chunks lost", "ledger lost"])
@pytest.mark.parametrize("half", [False, True], ids=["before", "within"])
@pytest.mark.parametrize("container", ["mp4", "flv"])
async def test_dying_at_any_step_and_starting_again_comes_to_the_same_end(
    tmp_path: Path, clip: Clip, later: FakeClock, container: Container, how: str, half: bool
) -> None:
    wreck(tmp_path / "wreck", clip, container, how=how)
    shutil.copytree(tmp_path / "wreck", tmp_path / "calm")
    calm = await only(tmp_path / "calm", clock=later)
    steps, deaths = 0, 0
    while True:
        steps += 1
        folder = tmp_path / str(steps)
        shutil.copytree(tmp_path / "wreck", folder)
        try:
            await recover(folder, disk=MortalDisk(steps, half=half), clock=later)
        except PowerCut:
            deaths += 1
            again = await recover(folder, clock=later)
            assert all(d.outcome in {Outcome.CLOSED, Outcome.REBUILT} for d in again)
        assert names(folder) - {f"show.ledger{DAMAGED}"} == {f"show.{container}", "show.ledger"}
        assert (folder / f"show.{container}").read_bytes() == content(calm)
        held, expected = read_ledger(folder), read_ledger(tmp_path / "calm")
        assert (held.chunks == expected.chunks) or how == "ledger lost"
        assert (held.gaps, len(held.chunks), held.torn) == (expected.gaps, len(expected.chunks), False)
        shutil.rmtree(folder)
        if steps > deaths:
            break
    assert deaths >= 6
    assert (await recover(tmp_path / "calm", clock=later)) == []


async def test_a_gap_is_told_once_even_if_its_cut_was_lost(tmp_path: Path, clip: Clip) -> None:
    wreck(tmp_path / "calm", clip, "ts", how="chunks lost")
    shutil.copytree(tmp_path / "calm", tmp_path / "again")
    await only(tmp_path / "calm")
    (gap,) = read_ledger(tmp_path / "calm").gaps
    book = tmp_path / "again" / "show.ledger"
    os.truncate(book, read_ledger(tmp_path / "again").good_bytes)
    ledgers.append(book, [gap])
    await only(tmp_path / "again")
    assert read_ledger(tmp_path / "again").gaps == [gap]


async def test_cancelling_leaves_the_file_as_it_was(tmp_path: Path, clip: Clip) -> None:
    part = crash(tmp_path, clip)
    before = part.read_bytes()
    with anyio.CancelScope() as scope:
        await recover(tmp_path, on_progress=lambda _: scope.cancel())
    assert scope.cancelled_caught
    assert part.read_bytes() == before


async def test_a_first_chunk_that_ends_right_behind_a_tag_is_told_and_closed(tmp_path: Path, clip: Clip) -> None:
    part = record(tmp_path, clip, "flv", close=False)
    book = tmp_path / "show.ledger"
    held = read_ledger(tmp_path)
    lines = [line for line in book.read_bytes().splitlines(keepends=True) if b'"k":"chunk"' not in line]
    book.write_bytes(b"".join(lines))
    first = held.chunks[0]
    os.truncate(part, first.offset + first.length - 4)  # the last tag, without the size that follows it

    done = await only(tmp_path)

    assert (done.outcome, done.chunks) == (Outcome.REBUILT, 1)
    assert done.bytes == first.offset + first.length - 4
    assert (await verify(Path(done.path))).status == "clean"


# -- files that have their final name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_file_that_somebody_renamed_after_a_crash_is_closed(
    tmp_path: Path, clip: Clip, container: Container
) -> None:
    part = crash(tmp_path, clip, container)
    media = part.rename(part.with_suffix(""))
    assert FindingCode.NOT_CLOSED in codes(await verify(media))
    done = await only(tmp_path)
    assert (done.path, done.outcome, done.chunks, done.cut_bytes) == (str(media), Outcome.CLOSED, 11, 5000)
    assert codes(await verify(media)) == []
    assert await recover(tmp_path) == []


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_closed_file_whose_ledger_lost_its_end_is_closed_again(
    tmp_path: Path, clip: Clip, container: Container
) -> None:
    media = record(tmp_path, clip, container, lost=[4])
    before = media.read_bytes()
    os.truncate(tmp_path / "show.ledger", (tmp_path / "show.ledger").stat().st_size - 20)
    done = await only(tmp_path)
    assert (done.outcome, done.chunks) == (Outcome.CLOSED, 11 if container != "flv" else done.chunks)
    assert media.stat().st_size == len(before)
    assert (await verify(media)).status == "gaps"


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("number", [0, 4])
async def test_a_damaged_ledger_of_a_closed_file_is_made_anew(
    tmp_path: Path, clip: Clip, container: Container, number: int
) -> None:
    """With its gaps and products; the media is not touched."""
    media, book = record(tmp_path, clip, container, lost=[4]), tmp_path / "show.ledger"
    await convert(media, "mkv")
    before, gaps = media.read_bytes(), read_ledger(tmp_path).gaps
    lines = book.read_bytes().splitlines(keepends=True)
    lines[number] = b"[" + lines[number][1:]
    book.write_bytes(b"".join(lines))
    done = await only(tmp_path)
    assert (done.outcome, done.cut_bytes, done.damaged) == (Outcome.REBUILT, 0, ())
    assert media.read_bytes() == before
    assert (tmp_path / "show.ledger.damaged").read_bytes() == b"".join(lines)
    assert read_ledger(tmp_path).gaps == gaps or lines[number].startswith(b'["k":"gap"')
    for file in (media, tmp_path / "show.mkv"):
        assert FindingCode.LEDGER_TORN not in codes(await verify(file))
        assert (await verify(file)).status != "damaged"
    assert await recover(tmp_path) == []


async def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path, clip: Clip) -> None:
    record(tmp_path, clip)
    book = tmp_path / "show.ledger"
    newer = ledger.render(replace(read_ledger(tmp_path).opening, version=2))
    book.write_bytes(newer + book.read_bytes().partition(b"\n")[2])
    assert await recover(tmp_path) == []


async def test_media_of_which_a_ledger_knows_nothing_is_not_cut_off(tmp_path: Path, clip: Clip) -> None:
    """A ledger that was copied while it was written, say."""
    media, book = record(tmp_path, clip), tmp_path / "show.ledger"
    before = media.read_bytes()
    book.write_bytes(b"".join(book.read_bytes().splitlines(keepends=True)[:8]))
    done = await only(tmp_path)
    assert (done.outcome, done.chunks) == (Outcome.REBUILT, 12)
    assert media.read_bytes() == before
    assert (await verify(media)).status == "clean"


async def test_nor_is_a_chunk_that_has_changed(tmp_path: Path, clip: Clip) -> None:
    """The last one of a closed file, and a line of a product that was torn."""
    media, book = record(tmp_path, clip), tmp_path / "show.ledger"
    data = bytearray(media.read_bytes())
    data[-100] ^= 1
    media.write_bytes(data)
    whole = book.read_bytes()
    book.write_bytes(whole + b'{"k":"made",')
    assert (await only(tmp_path)).outcome is Outcome.CLOSED
    assert (media.read_bytes(), book.read_bytes()) == (data, whole)


def codes(verdict: Verdict) -> list[FindingCode]:
    return [finding.code for finding in verdict.findings]
