"""Somebody removes or moves what is being written: it is told, recording goes on, nothing is claimed that is not there."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.command import is_run, numbers, proven

from ouzel.cli.reports import end_code
from ouzel.engine import watchdog
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.states import RecordingState
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SPEED = 8.0


def after_chunks(count: int, act: Callable[[], object]) -> Callable[[Recorder, Tape], Awaitable[None]]:
    async def watch(_recorder: Recorder, tape: Tape) -> None:
        await until(lambda: tape.counters.chunks >= count)
        act()

    return watch


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - a state of ours that no event announces
            await anyio.sleep(0.01)


@pytest.fixture
def sharp_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_S", 0.05)


@pytest.mark.usefixtures("sharp_eyes")
@pytest.mark.parametrize("kind", ["url", "flv_url", "ts_url"])
@pytest.mark.parametrize("what", ["folder", "media", "moved"])
async def test_recording_goes_on_in_a_new_file(what: str, kind: str, record: Studio, clip: Clip) -> None:
    first: list[int] = []

    def take_away() -> None:
        first.extend(numbers(next(record.folder.glob("*.part")))[:1])
        if what == "folder":
            shutil.rmtree(record.folder)
        elif what == "moved":
            record.folder.rename(record.folder.with_name("elsewhere"))
        else:
            next(record.folder.glob("*.part")).unlink()

    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=30), speed=SPEED)
        kept = await record(
            getattr(show, kind), limits=TapeLimits(duration_s=6), while_running=after_chunks(3, take_away)
        )
    assert [event["code"] for event in kept.told(EventCode.WARNING)] == ["file_removed"]
    assert kept.path.stem == "show-002"
    proven(kept.path)
    found = numbers(kept.path)
    assert is_run(found)
    ((code, missing),) = kept.gaps
    assert code == "file_removed"
    assert missing >= 3
    assert found[0] - first[0] == pytest.approx(missing, abs=1.1)  # a TS may begin with a group that was cut
    assert [(gap.code.value, gap.at_s) for gap in kept.book.gaps] == [("file_removed", 0.0)]
    assert [gap["at_s"] for gap in kept.told(EventCode.GAP)] == [0.0]
    assert kept.report.media_s == pytest.approx(kept.report.files[0].media_s)
    assert kept.report.media_s >= 6
    assert kept.report.files[0].gaps == 1
    assert end_code([kept.report]) == 3


@pytest.mark.usefixtures("sharp_eyes")
async def test_a_ledger_alone_is_written_again_and_nothing_is_lost(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=SPEED)
        remove = after_chunks(3, lambda: next(record.folder.glob("*.ledger")).unlink())
        kept = await record(show.flv_url, limits=TapeLimits(duration_s=6), while_running=remove)
    assert [event["code"] for event in kept.told(EventCode.WARNING)] == ["file_removed"]
    assert kept.gaps == []
    proven(kept.path)
    assert is_run(numbers(kept.path))
    assert end_code([kept.report]) == 0


async def test_of_a_file_that_was_removed_last_nothing_is_claimed(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=SPEED)
        remove = after_chunks(2, lambda: shutil.rmtree(record.folder))
        kept = await record(show.flv_url, limits=TapeLimits(duration_s=5), while_running=remove)
    assert kept.report.end_reason is EndReason.DURATION
    assert kept.report.files == ()
    assert kept.report.media_s == kept.report.bytes == kept.tape.counters.bytes == 0
    assert [code for code, _ in kept.gaps] == ["file_removed"]
    assert kept.report.error is not None
    assert kept.report.error[0] == "file_removed"
    assert end_code([kept.report]) == 5


@pytest.mark.usefixtures("sharp_eyes")
@pytest.mark.parametrize("comes_back", [True, False])
async def test_where_no_new_file_can_be_made_recording_pauses(comes_back: bool, record: Studio, clip: Clip) -> None:
    async def replace_folder(recorder: Recorder, tape: Tape) -> None:
        await until(lambda: tape.counters.chunks >= 2)
        shutil.rmtree(record.folder)
        record.folder.touch()
        await until(lambda: recorder.state is RecordingState.PAUSED)
        if comes_back:
            record.folder.unlink()
            await until(lambda: tape.file_s > 0)
        recorder.stop()

    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=SPEED)
        kept = await record(show.flv_url, while_running=replace_folder)
    assert [event["code"] for event in kept.told(EventCode.PAUSED)] == ["read_only"]
    codes = [code for code, _ in kept.gaps]
    assert codes[0] == "file_removed"
    assert set(codes[1:]) <= {"read_only"}  # none where the server still had what went by
    assert len(kept.report.files) == comes_back
    assert end_code([kept.report]) == (3 if comes_back else 5)
