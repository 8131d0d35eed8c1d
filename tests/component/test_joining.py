"""One file of several: packets as they are, gaps between them told, and what does not fit named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.recordings import NOON, record

from ouzel.base.errors import BadOption, DiskFull, OutputExists, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.afterwards.encode import EncodeWish, encode
from ouzel.engine.afterwards.joining import Joined, join_files
from ouzel.engine.convert import convert
from ouzel.engine.probe import probe
from ouzel.engine.sinks.file import CONVERTING
from ouzel.engine.verify import verify
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.audit import audit
from ouzel.model.flow import EndReason, GapCode
from ouzel.model.joined import JoinedPart, gap_between, joined_lines
from ouzel.model.ledger import Ledger
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def short(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=2, size="160x90", gop_s=1)


@pytest.fixture
def parts(tmp_path: Path, short: Clip) -> list[Path]:
    """The second one lacks a second of its own."""
    return [record(tmp_path, short, name="show-001"), record(tmp_path, short, name="show-002", lost=[1])]


async def join(paths: list[Path], format_: str = "mp4") -> Joined:
    return await join_files(paths, format_, clock=FakeClock(NOON))


def held_of(path: Path) -> ledgers.Held:
    held = ledgers.find(path)
    assert held is not None
    return held


@pytest.mark.parametrize("format_", ["mp4", "mkv", "ts", "flv"])
async def test_all_packets_are_in_it_and_its_ledger_tells_of_all(parts: list[Path], format_: str) -> None:
    founds = [await probe(path) for path in parts]
    made = await join(parts, format_)
    assert made.path == parts[0].with_name(f"show.{format_}")
    assert (made.gaps, made.warnings, made.is_damaged) == (1, (), False)
    found = await probe(made.path, depth="decode")
    for number, stream in enumerate(found.streams):
        assert stream.packets == sum(each.streams[number].packets for each in founds)
        assert (stream.errors, stream.frames_unordered, stream.unordered) == (0, 0, 0)
    assert found.media_s == pytest.approx(sum(each.media_s for each in founds), abs=0.05)

    held = held_of(made.path)
    assert (await verify(made.path)).status == "gaps"
    assert [*audit(held.ledger)] == []
    [gap] = held.ledger.gaps
    assert gap.at_s == pytest.approx(founds[0].media_s + 1, abs=0.05)
    assert gap.code is GapCode.SEGMENT_GONE
    assert all(path.exists() for path in parts)
    assert not [*parts[0].parent.glob(f"*{CONVERTING}")]


async def test_asked_for_again_it_takes_what_is_there(parts: list[Path]) -> None:
    first = await join(parts)
    before = first.path.stat()
    assert await join(parts) == first
    assert first.path.stat().st_ino == before.st_ino
    with first.path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(OutputExists, match="is not what its ledger says"):
        await join(parts)


@pytest.mark.parametrize("container", ["mp4", "flv"])
async def test_other_containers_are_joined_as_well(tmp_path: Path, short: Clip, container: Container) -> None:
    paths = [record(tmp_path, short, container, name=f"show-00{n}") for n in (1, 2, 3)]
    made = await join(paths)
    assert made.duration_s == pytest.approx(6, abs=0.3)
    assert (await verify(made.path)).status == "clean"


async def test_no_other_file_loses_its_name(tmp_path: Path, short: Clip) -> None:
    """One whose first file has no number, and one that meets the file of another recording."""
    paths = [record(tmp_path, short, name=name) for name in ("show", "show-002")]
    assert (await join(paths, "ts")).path.name == "show.joined.ts"
    others = [record(tmp_path, short, name=name) for name in ("other-001", "other-002")]
    foreign = record(tmp_path, short, "flv", name="other")
    before = foreign.read_bytes()
    assert (await join(others)).path.name == "other.joined.mp4"
    assert foreign.read_bytes() == before


async def test_a_file_of_another_sort_is_named(tmp_path: Path, short: Clip, clip_folder: Path) -> None:
    first = record(tmp_path, short, name="show-001")
    larger = record(tmp_path, make_clip(clip_folder, seconds=2, size="192x108", gop_s=1), name="show-002")
    words = r"show-002\.ts cannot be joined to show-001\.ts: h264 192x108 yuv420p, .* instead of h264 160x90 yuv420p"
    with pytest.raises(Unsupported, match=words + ".*convert"):
        await join([first, larger])
    with pytest.raises(BadOption, match="mp3"):
        await join([first, first], "mp3")


async def test_other_settings_of_the_encoder_need_a_format_that_holds_both(tmp_path: Path, short: Clip) -> None:
    first = record(tmp_path, short, name="show-001")
    other = record(tmp_path, short, name="show-002")
    second = (await encode(other, EncodeWish("ts", quality=40), out=tmp_path / "again-002.ts")).path
    with pytest.raises(Unsupported, match=r"again-002\.ts .* other settings; .* ts holds both"):
        await join([first, second])
    made = await join([first, second], "ts")
    assert (await probe(made.path, depth="decode")).streams[0].errors == 0


async def test_containers_are_not_mixed(tmp_path: Path, short: Clip) -> None:
    first, second = record(tmp_path, short, name="show-001"), record(tmp_path, short, "mp4", name="show-002")
    with pytest.raises(Unsupported, match=r"show-002\.mp4 .* framed otherwise; the step remux"):
        await join([first, second])
    remuxed = await convert(first, "mp4")
    assert (await join([remuxed.path, second])).duration_s == pytest.approx(4, abs=0.2)


async def test_where_there_is_no_room_nothing_is_begun(parts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_folder: Path, _files: object) -> int:
        return 5_000_000

    monkeypatch.setattr("ouzel.engine.afterwards.joining.missing_bytes", none)
    with pytest.raises(DiskFull, match=r"no room for .*show\.mp4"):
        await join(parts)
    assert sorted(each.suffix for each in parts[0].parent.iterdir()) == [".ledger", ".ledger", ".ts", ".ts"]


async def test_of_a_damaged_file_it_is_told(parts: list[Path]) -> None:
    data = bytearray(parts[1].read_bytes())
    data[len(data) - 500] ^= 1
    parts[1].write_bytes(data)
    made = await join(parts)
    assert made.is_damaged
    assert "show-002.ts is not what its ledger says" in made.warnings[0]
    assert (await join(parts)).is_damaged
    assert (await verify(made.path)).status == "damaged"


async def test_without_ledgers_it_is_joined_and_taken_again(parts: list[Path]) -> None:
    for path in parts:
        ledgers.ledger_path(path).unlink()
    made = await join(parts)
    assert "has no ledger" in made.warnings[0]
    assert (ledgers.find(made.path), made.gaps) == (None, 0)
    before = made.path.stat().st_ino
    assert (await join(parts)).path.stat().st_ino == before


def told(path: Path, reason: EndReason, by: timedelta) -> Ledger:
    """The ledger of a recording, as it would be had it been on air so much later and ended so."""
    held = held_of(path).ledger
    lines = ledger.salvage(ledgers.ledger_path(path).read_bytes())
    made = Ledger(held.opening)
    for line in lines[1:]:
        for name in ("wall", "wall_start", "wall_end"):
            if hasattr(line, name):
                object.__setattr__(line, name, getattr(line, name) + by)
        if hasattr(line, "reason"):
            object.__setattr__(line, "reason", reason.value)
        made.add(line)
    return made


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (EndReason.RECOVERED, GapCode.RECORDER_STOPPED),
        (EndReason.GONE, GapCode.CONNECTION_LOST),
        (EndReason.ENDED, GapCode.STREAM_ENDED),
        (EndReason.DISK, GapCode.DISK_FULL),
        (EndReason.SPLIT, None),
    ],
)
def test_the_time_between_files_is_a_gap(parts: list[Path], reason: EndReason, code: GapCode | None) -> None:
    first, second = told(parts[0], reason, timedelta()), told(parts[1], EndReason.ENDED, timedelta(seconds=62))
    gap = gap_between(first, second, 2.0)
    assert (gap.code if gap else None) == code
    if gap is not None:
        assert (gap.at_s, gap.missing_s) == (2.0, pytest.approx(60, abs=0.2))
        assert gap.why == f"between show-001.ts and show-002.ts: {reason.value}"
        lines = joined_lines([JoinedPart(first, 2.02), JoinedPart(second, 1.1)], first.opening)
        whole = Ledger(first.opening)
        for line in lines[1:]:
            whole.add(line)
        assert [*audit(whole)] == []
        assert [each.code for each in whole.gaps] == [code, GapCode.SEGMENT_GONE]
        assert whole.gaps[0].at_s == 2.02
    near = told(parts[1], EndReason.ENDED, timedelta(seconds=3))
    assert gap_between(first, near, 2.0) is None, "the clocks of arrival are not so exact"
