"""Programs of the configuration file that are started when something happens. Nothing waits for them.

A hook has no queue of its own: it reads the events, one after the other, and a slow one only reads later.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.errors import BadConfig, BadOption, NotFound, OuzelError, ToolFailed, ToolMissing
from ouzel.base.urls import redact, redact_text
from ouzel.config.tables import HookSettings
from ouzel.model.channel import Channel
from ouzel.model.happening import CODES, StoredEvent
from ouzel.model.hooks import HookChannel, HookEvent, HookFile, douyin_arguments
from ouzel.model.recording import MEDIA, FileState, RecordedFile, Recording
from ouzel.services.channels import Channels
from ouzel.services.events import EventBus, Resync
from ouzel.services.notices import Notices
from ouzel.store.db import Db
from ouzel.store.recordings import RecordingRepo
from ouzel.system.process import NICE, Child, spawn

_log = logging.getLogger(__name__)
_AT_ONCE = 4
_READ_BYTES = 64 * 1024
_KEPT_BYTES = 4 * 1024
_SHOWN_CHARS = 1000
_DRAIN_S = 1.0
"""For what is still in its pipe when it has ended."""
_TOLD = ("id", "title", "state", "media_s", "missing_s", "bytes", "gaps", "end_reason")


@dataclass(frozen=True, slots=True)
class Start:
    """A program to be started."""

    hook: str
    args: Sequence[str]
    env: Mapping[str, str]
    stdin: bytes
    timeout_s: float
    event: StoredEvent
    nice: int = 0


@dataclass(frozen=True, slots=True)
class HookStep:
    """What a hook is told when it is a step of a pipeline."""

    event: StoredEvent
    recording: Mapping[str, Any]
    """As of `HookEvent`."""
    files: Sequence[HookFile]
    env: Mapping[str, str]
    """More variables."""
    converts: bool = False
    """Another step makes MP4 of its files."""


class Hooks:
    """Args:
    specs: by name.
    folders: of the storage roots, by name.
    Raises: BadConfig when a hook is to be started at an event that there is not.
    """

    def __init__(
        self,
        db: Db,
        bus: EventBus,
        channels: Channels,
        notices: Notices,
        specs: Mapping[str, HookSettings],
        folders: Mapping[str, Path],
    ) -> None:
        self._bus = bus
        self._channels = channels
        self._notices = notices
        self._recordings = RecordingRepo(db)
        self._specs = specs
        self._folders = folders
        self._failing: set[str] = set()
        self._slots = anyio.Semaphore(_AT_ONCE)
        for name, spec in specs.items():
            if strange := [code for code in spec.on if code not in CODES]:
                raise BadConfig(f"[hooks.{name}] on: there is no event {strange[0][:60]}; there are {', '.join(CODES)}")

    async def run(self) -> None:
        """Until cancelled, or the bus is closed. What runs then is ended."""
        if not self._specs:
            return
        known = await self._notices.not_over()
        self._failing = {name for name in self._specs if f"hook.failed:{name}" in known}
        async with self._bus.subscribe() as events, anyio.create_task_group() as tasks:
            while (event := await events.next()) is not None:
                if isinstance(event, Resync):
                    await self._notices.raise_notice("hook.missed", "hook.missed")
                    continue
                for start in await self.starts(event):
                    await self._slots.acquire()
                    tasks.start_soon(self._start, start)

    # -- what is started ----------------------------------------------------------------------------------------------

    async def starts(self, event: StoredEvent) -> list[Start]:
        """What is to be started now."""
        channel = self._channel(event.channel_id)
        named = self._channels.effective(channel).settings.hooks if channel is not None else ()
        wanted = {
            name: spec for name, spec in self._specs.items() if event.code in spec.on and (spec.all or name in named)
        }
        if not wanted:
            return []
        told = await self._told(event, channel)
        return [start for name, spec in wanted.items() for start in _starts(name, spec, told)]

    # -- as a step of a pipeline --------------------------------------------------------------------------------------

    def require(self, name: str) -> HookSettings:
        """Raises: NotFound."""
        spec = self._specs.get(name)
        if spec is None:
            known = f"there are {', '.join(self._specs)}" if self._specs else "it has none"
            raise NotFound(f"the configuration file has no hook {name[:60]}; {known}")
        return spec

    def check(self, name: str) -> None:
        """When it is set, and not first when a recording is over. Raises: NotFound, ToolMissing."""
        spec = self.require(name)
        if not spec.shell and shutil.which(spec.command[0]) is None:
            raise ToolMissing(f"the hook {name} starts {spec.command[0]}, which is no program that can be run here")

    async def run_step(self, name: str, step: HookStep) -> int:
        """Start it, wait for its end. Returns: how many times: some are started once for each file.

        Raises: NotFound; BadOption: it is told of a channel, and there is none; ToolMissing, ToolFailed.
        """
        spec = self.require(name)
        channel = self._channel(step.event.channel_id)
        about = self._of_channel(channel) if channel is not None else None
        if about is not None and step.converts:
            about = replace(about, converts=True)
        last = step.files[-1] if step.files else None
        told = HookEvent(step.event, about, step.recording, step.files, last)
        starts = _starts(name, spec, told)
        if not starts:
            raise BadOption(f"the hook {name} is told the channel of a file, and this one has none")
        for start in starts:
            await self._run(replace(start, env={**start.env, **step.env}, nice=NICE))
        return len(starts)

    def _channel(self, channel_id: str | None) -> Channel | None:
        if channel_id is None:
            return None
        try:
            return self._channels.get(channel_id)
        except NotFound:  # it was removed
            return None

    async def _told(self, event: StoredEvent, channel: Channel | None) -> HookEvent:
        of_channel = self._of_channel(channel) if channel is not None else None
        if event.code == "download.finished":
            path, format_, size, media_s = (event.data[name] for name in ("path", "format", "bytes", "media_s"))
            file = HookFile(path, format_, FileState.CLOSED.value, size, media_s)
            return HookEvent(event, of_channel, files=(file,), file=file)
        if not event.code.startswith("recording."):
            return HookEvent(event, of_channel)
        recording = await self._recordings.get(event.subject)
        if recording is None:
            return HookEvent(event, of_channel)
        rows = (await self._recordings.files([recording.id]))[recording.id]
        rows = [row for row in rows if row.root in self._folders and row.role in MEDIA]
        files = [self._file(row) for row in rows]
        about = event.data.get("path")
        meant = [file for file, row in zip(files, rows, strict=True) if about in (None, row.path)]
        return HookEvent(event, of_channel, recording_told(recording), files, meant[-1] if meant else None)

    def _of_channel(self, channel: Channel) -> HookChannel:
        settings = self._channels.effective(channel).settings
        number = next((n for n, each in enumerate(self._channels.all(), 1) if each.id == channel.id), 0)
        return HookChannel(
            channel.id, channel.name, channel.platform, redact(channel.address), number,
            splits=settings.split_after_s > 0, converts=settings.format == "mp4",
        )  # fmt: skip

    def _file(self, row: RecordedFile) -> HookFile:
        path = self._folders[row.root] / row.path
        return HookFile(str(path), row.format, row.state.value, row.bytes, row.media_s)

    # -- starting -----------------------------------------------------------------------------------------------------

    async def _start(self, start: Start) -> None:
        try:
            await self._run(start)
        except OuzelError as exc:
            output = str(exc.context.get("output", ""))
            _log.warning("hook %s at %s: %s", start.hook, start.event.code, exc)
            self._failing.add(start.hook)
            data = {"hook": start.hook, "event": start.event.code, "why": str(exc), "output": output}
            await self._notices.raise_notice(f"hook.failed:{start.hook}", "hook.failed", data=data)
        else:
            _log.info("hook %s at %s: done", start.hook, start.event.code)
            if start.hook in self._failing:
                self._failing.discard(start.hook)
                await self._notices.over(f"hook.failed:{start.hook}")
        finally:
            self._slots.release()

    async def _run(self, start: Start) -> None:
        """Raises: ToolMissing, ToolFailed."""
        said = bytearray()
        child: Child | None = None
        with anyio.move_on_after(start.timeout_s):
            async with spawn(start.args, stdin=start.stdin, env=start.env, nice=start.nice) as child:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_read, child, said)
                    await child.wait()
                    child.sweep()
                    tasks.cancel_scope.deadline = anyio.current_time() + _DRAIN_S
                if child.returncode == 0:
                    return
                raise ToolFailed(str(child.failure()), output=_tail(child, said))
        output = _tail(child, said) if child is not None else ""
        raise ToolFailed(f"it was ended: it took longer than {start.timeout_s:g} s", output=output)


def recording_told(recording: Recording) -> dict[str, Any]:
    """What a hook is told of it."""
    return {name: getattr(recording, name) for name in _TOLD} | {"state": recording.state.value}


def _starts(name: str, spec: HookSettings, told: HookEvent) -> list[Start]:
    """One, or one for each finished file where the program wants to be told like that."""
    env, timeout_s = told.variables(), spec.timeout.total_seconds()
    if spec.shape == "ouzel":
        return [Start(name, _args(spec, ()), env, told.document(), timeout_s, told.event)]
    if told.channel is None or "role" in told.event.data:  # the latter: what a pipeline has made
        return []
    is_one = "path" in told.event.data
    files = [told.file] if is_one and told.file is not None else [] if is_one else told.files
    return [
        Start(name, _args(spec, douyin_arguments(spec.command, told.channel, file)), env, b"", timeout_s, told.event)
        for file in files
        if file.state == FileState.CLOSED.value
    ]


def _args(spec: HookSettings, more: Sequence[str]) -> list[str]:
    if not spec.shell:
        return [*spec.command, *more]
    return ["/bin/sh", "-c", " ".join([*spec.command, *map(shlex.quote, more)])]


async def _read(child: Child, said: bytearray) -> None:
    """Keep the end of what it says."""
    while True:
        await anyio.wait_readable(child.stdout_fd)
        if not (data := os.read(child.stdout_fd, _READ_BYTES)):
            return
        said += data
        del said[:-_KEPT_BYTES]


def _tail(child: Child, said: bytes | bytearray) -> str:
    """The end of what it said, errors last, redacted."""
    words = redact_text(bytes(said).decode("utf-8", "replace"))
    return f"{words.strip()}\n{child.errors}".strip()[-_SHOWN_CHARS:]
