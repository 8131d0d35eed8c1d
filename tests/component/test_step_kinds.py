"""Remux and command as steps: with real ledgers, a real ffmpeg and real programs."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.bench import Bench, made_of
from tests.component.library import START, Library, library
from tests.recordings import record

from ouzel.base.errors import BadOption, NotFound, OutputExists, ToolFailed, ToolMissing
from ouzel.config.tables import HookSettings
from ouzel.engine import ledgers
from ouzel.model.pipelines import parse_steps
from ouzel.model.recording import FileRole
from ouzel.services.channels import Channels
from ouzel.services.events import EventBus
from ouzel.services.hooks import Hooks
from ouzel.services.notices import Notices
from ouzel.services.secrets import Secrets
from ouzel.services.step_kinds import command_kind, remux_kind
from ouzel.services.steps import Item, StepKind
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench() -> Bench:
    return Bench.of_done()


@pytest.fixture(scope="session")
def remux() -> StepKind:
    return remux_kind(FfmpegFinder(), FakeClock(START))


# -- remux ---------------------------------------------------------------------------------------------------------------


async def test_each_file_is_put_into_another_container(
    tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind
) -> None:
    one, two = record(tmp_path, clip, name="1", lost=[4]), record(tmp_path, clip, name="2")
    made = await made_of(remux, bench.work("remux", [bench.file(one, gaps=1), bench.file(two)]))
    shown = [
        (file.path.name, file.role, file.made_of, file.gaps, [each["kind"] for each in file.tracks])
        for file in made.files
    ]
    product = FileRole.PRODUCT
    assert shown == [
        ("1.mp4", product, ("1.ts",), 1, ["video", "audio"]),
        ("2.mp4", product, ("2.ts",), 0, ["video", "audio"]),
    ]
    assert made.gone == ("1.ts", "2.ts")
    assert made.result == {"made": 2}
    assert all(file.bytes == file.path.stat().st_size and file.media_s > 10 for file in made.files)
    assert (one.exists(), bench.told == sorted(bench.told), bench.told[-1]) == (True, True, 1.0)


async def test_what_is_kept_does_not_go_and_what_fits_stays(
    tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind
) -> None:
    one, two = record(tmp_path, clip, name="1"), record(tmp_path, clip, "mp4", name="2")
    made = await made_of(remux, bench.work("remux", [bench.file(one), bench.file(two)], keep=True))
    assert ([file.path.name for file in made.files], made.gone) == (["1.mp4"], ())


async def test_a_damaged_original_stays(tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind) -> None:
    path = record(tmp_path, clip)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    made = await made_of(remux, bench.work("remux", [bench.file(path)]))
    assert (len(made.files), made.gone) == (1, ())
    assert "is not what its ledger says" in made.result["warnings"][0]


@pytest.mark.parametrize("with_ledger", [True, False])
async def test_what_an_attempt_before_has_made_is_taken(
    tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind, with_ledger: bool
) -> None:
    path = record(tmp_path, clip)
    if not with_ledger:
        ledgers.ledger_path(path).unlink()
    work = bench.work("remux", [bench.file(path)])
    first = await made_of(remux, work)
    before = first.files[0].path.stat()
    again = await made_of(remux, work)
    assert again == first
    assert first.files[0].path.stat().st_ino == before.st_ino
    if with_ledger:
        held = ledgers.find(first.files[0].path)
        assert held is not None
        assert len(held.ledger.products) == 1


async def test_what_was_written_down_is_taken_when_the_original_is_gone(
    tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind
) -> None:
    path = record(tmp_path, clip)
    [made] = (await made_of(remux, bench.work("remux", [bench.file(path)]))).files
    values = {"made_of": ("show.ts",), "bytes": made.bytes, "media_s": made.media_s, "tracks": made.tracks}
    product = bench.file(made.path, role=FileRole.PRODUCT, **values)
    path.unlink()
    again = await made_of(remux, bench.work("remux", [bench.file(path)], [product]))
    assert (again.files, again.gone) == ((made,), ("show.ts",))


@pytest.mark.parametrize("with_ledger", [True, False])
async def test_what_is_in_the_way_stays(
    tmp_path: Path, clip: Clip, bench: Bench, remux: StepKind, with_ledger: bool
) -> None:
    path = record(tmp_path, clip)
    other = record(tmp_path, clip, "flv", name="other", lost=[1, 2, 3])
    if with_ledger:
        await made_of(remux, bench.work("remux", [bench.file(path)], format="mkv", keep=True))
        (tmp_path / "show.mkv").write_bytes(other.read_bytes())
    else:
        ledgers.ledger_path(path).unlink()
        other.rename(tmp_path / "show.mkv")
    found = (tmp_path / "show.mkv").read_bytes()
    with pytest.raises(OutputExists):
        await made_of(remux, bench.work("remux", [bench.file(path)], format="mkv"))
    assert ((tmp_path / "show.mkv").read_bytes() == found, path.exists()) == (True, True)


# -- command -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


async def command(lib: Library, **specs: HookSettings) -> StepKind:
    channels = Channels(lib.db, Secrets(b"k" * 32).box)
    await lib.channel("c1")
    await channels.load()
    bus = EventBus(lib.db)
    hooks = Hooks(lib.db, bus, channels, Notices(lib.db), specs, {})
    bus.close()
    return command_kind(hooks, lib.clock)


def shell(script: str, **more: Any) -> HookSettings:
    return HookSettings(("/bin/sh", "-c", script, "sh"), on=(), **more)


async def test_a_hook_is_told_what_it_is_run_over(tmp_path: Path, lib: Library, bench: Bench) -> None:
    script = 'cat > "$0.json"; echo "$OUZEL_EVENT $OUZEL_RUN $OUZEL_ATTEMPT $OUZEL_PIPELINE" > "$0"; nice >> "$0"'
    spec = HookSettings(("/bin/sh", "-c", script, str(tmp_path / "out")), on=())
    kind = await command(lib, h=spec)
    files = [bench.file(tmp_path / "1.mp4"), bench.file(tmp_path / "1.jpg", role=FileRole.POSTER)]
    made = await made_of(kind, bench.work("command", files, hook="h"))
    assert (tmp_path / "out").read_text() == "pipeline.run run1 1 p\n10\n"
    told = (tmp_path / "out.json").read_text()
    assert ('"title": "a title"' in told, "1.mp4" in told, "1.jpg" in told) == (True, True, False)
    assert (made.files, made.result) == ((), {"started": 1})


async def test_a_script_of_douyin_live_recorder_is_started_for_each_file(
    tmp_path: Path, lib: Library, bench: Bench
) -> None:
    spec = HookSettings((f'echo >> "{tmp_path}/out"',), shell=True, on=(), shape="douyin_live_recorder")
    kind = await command(lib, recorded=spec)
    files = [bench.file(tmp_path / "1.mp4"), bench.file(tmp_path / "2.mp4", part=2)]
    made = await made_of(kind, bench.work("command", files, hook="recorded"))
    lines = (tmp_path / "out").read_text().splitlines()
    ends = "MP4 split_video_by_time:False converts_to_mp4:False"
    assert lines == [f"name of c1 {tmp_path}/{n}.mp4 {ends}" for n in (1, 2)]
    assert made.result == {"started": 2}
    of_mp4 = bench.work("command", files[:1], hook="recorded")
    [remuxed] = parse_steps([{"step": "remux"}])
    await kind.run(replace(of_mp4, run=replace(of_mp4.run, steps=(remuxed, *of_mp4.run.steps))))
    assert (tmp_path / "out").read_text().splitlines()[-1].endswith(" converts_to_mp4:True")
    nobodys = replace(bench.work("command", files, hook="recorded"), item=Item(None, None))
    with pytest.raises(BadOption, match="channel"):
        await kind.run(nobodys)


async def test_a_hook_that_fails_fails_its_step(lib: Library, bench: Bench, tmp_path: Path) -> None:
    kind = await command(lib, bad=shell("echo oops >&2; exit 3"))
    with pytest.raises(ToolFailed, match="ended with code 3: oops"):
        await made_of(kind, bench.work("command", [bench.file(tmp_path / "1.mp4")], hook="bad"))


async def test_a_hook_that_there_is_not_is_told_when_it_is_set(lib: Library) -> None:
    with pytest.raises(NotFound, match="has no hook x; there are h"):
        await (await command(lib, h=shell("true"))).check({"hook": "x"})


async def test_a_hook_whose_program_is_not_here_is_told_when_it_is_set(lib: Library) -> None:
    gone = await command(lib, h=HookSettings(("/nowhere/program",), on=()), ours=HookSettings((sys.executable,), on=()))
    with pytest.raises(ToolMissing, match="the hook h starts /nowhere/program, which is no program"):
        await gone.check({"hook": "h"})
    await gone.check({"hook": "ours"})


async def test_programs_of_others_are_not_held_up(tmp_path: Path, lib: Library, bench: Bench) -> None:
    """On Linux its disk has the idle class, too."""
    call = {"x86_64": 252, "aarch64": 31, "riscv64": 31}.get(os.uname().machine)
    if sys.platform != "linux" or call is None:
        pytest.skip("only Linux has it")
    script = f"import ctypes, sys; open(sys.argv[1], 'w').write(str(ctypes.CDLL(None).syscall({call}, 1, 0) >> 13))"
    spec = HookSettings((sys.executable, "-c", script, str(tmp_path / "class")), on=())
    kind = await command(lib, h=spec)
    await made_of(kind, bench.work("command", [bench.file(tmp_path / "1.mp4")], hook="h"))
    assert (tmp_path / "class").read_text() == "3"
