"""A download of something on air that is broken off, by a kill or by somebody: it goes on in its next file, and ends with all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
from tests.command import numbers
from tests.component.conftest import QUICK
from tests.component.newsroom import Box
from tests.recordings import NOON

from ouzel.cli.download import code_of
from ouzel.cli.main import EXIT_GAPS
from ouzel.cli.texts.sentences import in_chinese
from ouzel.engine.disk import DiskGate
from ouzel.engine.download.asking import Address
from ouzel.engine.download.downloader import Downloader
from ouzel.engine.download.live import recording_with
from ouzel.engine.ledgers import find
from ouzel.engine.workshop import Page, Workshop
from ouzel.model.download_tasks import NewDownload
from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadWish
from ouzel.model.flow import Gap, GapCode
from ouzel.model.stream import Stream
from ouzel.services.download_files import erase
from ouzel.services.download_forms import DownloadRules, read_new
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin
from ouzel.testing.origin.channel import Channel

pytestmark = pytest.mark.anyio
TASK = "0123456789abcdef"


@dataclass
class Desk:
    """What a daemon downloads with; `page` answers in place of the address."""

    downloader: Downloader
    folder: Path
    told: list[DownloadProgress]
    page: Page | None = None

    def wish(self, channel: Channel, *, name: str = "show", on_air: bool = False) -> DownloadWish:
        return DownloadWish(channel.url, self.folder, name, task=TASK, on_air=on_air)

    async def run(self, wish: DownloadWish) -> DownloadOutcome:
        with anyio.fail_after(30):
            return await self.downloader.run(wish, on_progress=self.told.append)

    async def until(self, wish: DownloadWish, is_so: Callable[[], bool]) -> None:
        """Run it until it is so, and break it off."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.run, wish)
            await _until(is_so)
            tasks.cancel_scope.cancel()

    def has(self, chunks: int) -> Callable[[], bool]:
        return lambda: sum(each.read_bytes().count(b'{"k":"chunk"') for each in self.folder.glob("*.ledger")) >= chunks


async def _until(is_so: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not is_so():  # noqa: ASYNC110 - a file, which tells nobody
            await anyio.sleep(0.01)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with _desk(tmp_path) as made:
        yield made


@asynccontextmanager
async def _desk(folder: Path) -> AsyncGenerator[Desk]:
    async def find_it(wish: DownloadWish) -> Address:
        return Address(Stream(wish.url), page=made.page)

    clock, ffmpeg = SystemClock(), FfmpegFinder()
    async with Http1Client() as http:
        shop = Workshop(http, clock, QUICK, DiskGate(folder, min_free_bytes=0, probe_s=0.1), ffmpeg)
        made = Desk(Downloader(http, clock, ffmpeg, find_it, recording_with(shop)), folder, [])
        yield made


async def test_it_goes_on_with_the_next_segment_in_its_next_file(desk: Desk, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(4)
        await desk.until(desk.wish(channel), desk.has(4))
        assert desk.told[-1].file == str(desk.folder / "show.ts"), "it was closed when it was broken off"
        channel.push(3).end()
        done = await desk.run(desk.wish(channel, on_air=True))
    assert (done.path.name, [each.name for each in done.tracks]) == ("show.ts", ["show-002.ts"])
    assert [numbers(each) for each in (done.path, *done.tracks)] == [[0, 1, 2, 3], [4, 5, 6]]
    assert (done.gaps, round(done.media_s)) == ((), 7)
    assert done.size == sum(each.stat().st_size for each in (done.path, *done.tracks))


@pytest.mark.parametrize("on_air", [True, False], ids=["known", "killed before its row was written"])
async def test_what_a_kill_has_left_is_closed_and_gone_on_with(desk: Desk, clip: Clip, *, on_air: bool) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=3)).push(3)
        await desk.until(desk.wish(channel), desk.has(3))
        _as_killed(desk.folder / "show.ts")
        channel.push(5)
        done: list[DownloadOutcome] = []

        async def go_on() -> None:
            done.append(await desk.run(desk.wish(channel, on_air=on_air)))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(go_on)
            await _until(desk.has(6))
            channel.end()
    (outcome,) = done
    assert [numbers(each) for each in (outcome.path, *outcome.tracks)] == [[0, 1, 2], [5, 6, 7]]
    assert [gap.code for gap in outcome.gaps] == [GapCode.RECORDER_STOPPED]
    assert not [*desk.folder.glob("*.part")]


def _as_killed(media: Path) -> None:
    """The file as it stood before it was closed, and half a line more."""
    ledger = media.with_suffix(".ledger")
    lines = ledger.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(b'{"k":"end"')]
    assert len(kept) < len(lines)
    ledger.write_bytes(b"".join(kept) + b'{"k":"chu')
    media.rename(media.with_name(f"{media.name}.part"))


async def test_what_ended_meanwhile_is_whole_with_what_there_was(desk: Desk, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(4)
        await desk.until(desk.wish(channel), desk.has(4))
        channel.end()
        done = await desk.run(desk.wish(channel, on_air=True))
    assert (numbers(done.path), done.tracks, done.gaps) == ([0, 1, 2, 3], (), ())
    held = find(done.path)
    assert held is not None
    assert held.opening.recording == TASK


async def test_what_the_recorder_cannot_heed_is_told(desk: Desk, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(4)
        await desk.until(desk.wish(channel), desk.has(4))
        channel.end()
        wish = replace(desk.wish(channel, on_air=True), from_s=5.0, to_s=6.0, subtitles=("en",), audio=("all",))
        done = await desk.run(wish)
    assert done.warnings == ("it is on air, and recorded as it comes: --subs, --from, --to cannot be heeded",)
    assert in_chinese(done.warnings[0]) == "正在直播，按其内容录制：--subs, --from, --to 无法照办"


def test_gaps_of_a_broadcast_are_an_exit_code_too() -> None:
    gap = Gap(0.0, GapCode.WINDOW_SLID, "", NOON, NOON, 2.0, 3, 3)
    whole = DownloadOutcome(Path("show.ts"), None, "ts", 1, 1.0, 0, 1)
    assert [code_of(whole, allow_gaps=False), code_of(replace(whole, gaps=(gap,)), allow_gaps=True)] == [0, 0]
    assert code_of(replace(whole, gaps=(gap,)), allow_gaps=False) == EXIT_GAPS


async def test_its_speed_is_told_as_that_of_others(desk: Desk, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(4)
        await desk.until(desk.wish(channel), lambda: any(each.speed_bps > 0 for each in desk.told))


async def test_it_is_removed_with_all_its_files_and_with_nothing_else(desk: Desk, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(2)
        await desk.until(desk.wish(channel), desk.has(2))
        channel.push(2)
        await desk.until(desk.wish(channel, on_air=True), desk.has(4))
    (desk.folder / "show.txt").touch()
    (desk.folder / "other.ts").touch()
    row = read_new(NewDownload(channel.url, "show"), DownloadRules(desk.folder), Box(), SystemClock().now())
    erase(replace(row, id=TASK, path=str(desk.folder / "show-002.ts")))
    assert sorted(each.name for each in desk.folder.iterdir()) == ["other.ts", "show.txt"]
