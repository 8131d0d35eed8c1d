"""Obeying a folder of foreign files while it is edited: what is in it is the truth for its channels.

The folder is looked at every second. What has changed is taken once it was the same in two looks, so that nobody's half-written
file counts. A file that is empty, gone, or cannot be read as a whole for a while is a problem that is told, and what it said
last goes on to count: a list of channels never vanishes because its file did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread

from ouzel.config.importers.detect import read_foreign
from ouzel.config.importers.result import Problem
from ouzel.platforms.registry import Registry
from ouzel.services.import_files import SourceFile, candidates, read_source
from ouzel.services.import_plan import ImportPlan, PlannedChannel, PlannedSetting, Remark
from ouzel.services.imports import plan_import
from ouzel.system.clock import Clock

POLL_S = 1.0
PATIENCE = 5
"""Looks for which a file may be unreadable before that is told."""
_COARSE_S = 3.0
"""Some file systems tell times in steps of two seconds."""
_Key: TypeAlias = tuple[str, str]
_Print: TypeAlias = tuple[int, int, int]
"""When a file was written, its size, and which one it is."""


@dataclass(frozen=True, slots=True)
class FollowChange:
    """What the folder says now, and what of it is another than before."""

    plan: ImportPlan
    added: tuple[PlannedChannel, ...] = ()
    removed: tuple[PlannedChannel, ...] = ()
    changed: tuple[PlannedChannel, ...] = ()
    """As they are now: another name, quality, mode; paused, or not any more."""
    settings: tuple[PlannedSetting, ...] = ()
    """That are new or have another value; those that have gone are in `settings_removed`."""
    settings_removed: tuple[PlannedSetting, ...] = ()
    problems: tuple[Remark, ...] = ()
    """Of files that cannot be read at the moment: what they said last counts."""
    mended: tuple[str, ...] = ()
    """Files of which such a problem was told, and which can be read again."""
    doubtful: tuple[str, ...] = ()
    """Files that cannot be read at the moment, told or not. Whoever begins with a list of its own takes away nothing of theirs,
    nor of files that are not in the plan."""

    @property
    def is_news(self) -> bool:
        """Whether there is something to do or to tell."""
        channels = self.added or self.removed or self.changed
        return bool(channels or self.settings or self.settings_removed or self.problems or self.mended)


@dataclass(slots=True)
class _File:
    """What is known of one file."""

    good: SourceFile | None = None
    """As it was when it could last be read."""
    seen: SourceFile | None = None
    """As it was in the last look; None: it was not there."""
    doubt: Problem | None = None
    """Why what was seen may not be what is meant."""
    bad: int = 0
    """For how many looks there was a doubt."""
    told: bool = False


@dataclass(slots=True)
class Followed:
    """What is known of a folder from one look to the next. Pure: whoever looks hands in what is there."""

    registry: Registry
    patience: int = PATIENCE
    plan: ImportPlan | None = None
    _files: dict[Path, _File] = field(default_factory=dict[Path, _File])

    def look(self, sources: Sequence[SourceFile]) -> FollowChange | None:
        """Take what is there now. Returns: what is to be done or told; None: nothing. The first look is always something."""
        there = {source.path: source for source in sources}
        problems: list[Remark] = []
        mended: list[str] = []
        is_new = self.plan is None
        for path in {*there, *self._files}:
            file = self._files.setdefault(path, _File())
            is_settled = self._see(file, there.get(path))
            if file.seen is None and file.good is None:
                del self._files[path]
                continue
            if file.doubt is not None:
                if problem := self._count(path, file):
                    problems.append(problem)
            elif file.seen is not None:
                if file.told:
                    mended.append(str(path))
                file.bad, file.told = 0, False
                if is_settled and (file.good is None or file.good.data != file.seen.data):
                    file.good = file.seen
                    is_new = True
        if not is_new and not problems and not mended:
            return None
        return self._change(problems, mended)

    def _see(self, file: _File, source: SourceFile | None) -> bool:
        """Returns: whether it is as it was in the last look, or this is the first one."""
        before, file.seen = file.seen, source
        if source is not None and before is not None and (source.data, source.trouble) == (before.data, before.trouble):
            return True
        file.doubt = _doubt(source, is_first=self.plan is None)
        return self.plan is None or (source is None and before is None)

    def _count(self, path: Path, file: _File) -> Remark | None:
        """What is told of a file that cannot be read, once, and only if it ever was, or must be, a list of channels."""
        file.bad += 1
        is_known = file.good is not None or "url_config" in path.name.lower()
        if file.told or file.bad < self.patience or not is_known or file.doubt is None:
            return None
        file.told = True
        return Remark(str(path), file.doubt)

    def _change(self, problems: Sequence[Remark], mended: Sequence[str]) -> FollowChange:
        goods = sorted((file.good for file in self._files.values() if file.good), key=lambda each: each.path)
        before, plan = self.plan or ImportPlan(), plan_import(goods, self.registry)
        self.plan = plan
        old, new = _channels(before), _channels(plan)
        old_settings, new_settings = _settings(before), _settings(plan)
        return FollowChange(
            plan,
            added=tuple(each for key, each in new.items() if key not in old),
            removed=tuple(each for key, each in old.items() if key not in new),
            changed=tuple(each for key, each in new.items() if key in old and _moved(old[key], each) != each),
            settings=tuple(each for key, each in new_settings.items() if not _is_same(old_settings.get(key), each)),
            settings_removed=tuple(each for key, each in old_settings.items() if key not in new_settings),
            problems=tuple(problems),
            mended=tuple(mended),
            doubtful=tuple(sorted(str(path) for path, file in self._files.items() if file.doubt is not None)),
        )


class Follower:
    """Looks into a folder again and again.

    Args:
        sleep: as `clock` tells the time.
    """

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        poll_s: float = POLL_S,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._sleep = sleep
        self._poll_s = poll_s
        self._is_first = True
        self._read: dict[Path, tuple[_Print, SourceFile]] = {}
        self.followed = Followed(registry)

    async def next_change(self) -> FollowChange:
        """Return when there is something to do or to tell; the first call at once. It can be cancelled, and called again."""
        while True:
            if not self._is_first:
                await self._sleep(self._poll_s)
            change = await anyio.to_thread.run_sync(self._look, self._clock.now().timestamp())
            if change is not None:
                return change

    def _look(self, now_s: float) -> FollowChange | None:
        """Blocking. A file is read again when it looks like another one, or was written so lately that it may not look so yet."""
        read: dict[Path, tuple[_Print, SourceFile]] = {}
        for path in candidates(self._folder):
            try:
                stat = path.stat()
            except OSError:  # it has just gone
                continue
            look, kept = (stat.st_mtime_ns, stat.st_size, stat.st_ino), self._read.get(path)
            if kept is None or kept[0] != look or stat.st_mtime > now_s - _COARSE_S:
                kept = look, read_source(path, is_named=False, with_backups=self._is_first)
            read[path] = kept
        self._read, self._is_first = read, False
        return self.followed.look([source for _, source in read.values()])


def _doubt(source: SourceFile | None, *, is_first: bool) -> Problem | None:
    """Why what a file holds may not be what is meant. A list that is empty from the first has its backup."""
    if source is None:
        return Problem(0, "file_gone")
    if source.trouble:
        return Problem(0, "file_unreadable", {"why": source.trouble})
    imported = read_foreign(source.data, source.path.name)
    if imported.is_readable or (is_first and source.backups):
        return None
    return next(each for each in imported.problems if each.line == 0 or each.code == "syntax")


def _channels(plan: ImportPlan) -> Mapping[str, PlannedChannel]:
    return {each.url: each for each in plan.channels}


def _settings(plan: ImportPlan) -> Mapping[_Key, PlannedSetting]:
    return {(each.file, f"{each.of.key} {each.of.target}"): each for each in plan.settings}


def _moved(one: PlannedChannel, other: PlannedChannel) -> PlannedChannel:
    """The one, in the place of the other: that a line has another number is no change."""
    return replace(one, line=other.line, file=other.file)


def _is_same(one: PlannedSetting | None, other: PlannedSetting) -> bool:
    return one is not None and replace(one.of, line=other.of.line) == other.of
