"""Downloads: what is to be fetched stands in rows, and the body `dl:ID` fetches it. What users ask of them is here, too.

As many run at once as the supervisor has slots for them, the most urgent first. Whatever ends one without its being over (a
stop, a kill) leaves what is there on the disk, and the next body goes on from that.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.to_thread

from ouzel.base.errors import BadOption, ChangedSince, Conflict, NotFound, OuzelError, StaleOwner, StorageError
from ouzel.model.download_tasks import GOING, After, Download, NewDownload, retry_in_s
from ouzel.model.downloads import Downloading, DownloadOutcome, DownloadProgress, DownloadState, Pace
from ouzel.model.happening import Happening
from ouzel.model.jobs import is_of_the_disk
from ouzel.model.notices import Trouble
from ouzel.model.ownership import StopReason, name_of
from ouzel.services.bodies import Body, Context, Ending, said
from ouzel.services.download_files import ComesAfter, erase_all
from ouzel.services.download_forms import DownloadRules, read_new, wish_of
from ouzel.services.download_rows import counted, failures, kept, told
from ouzel.services.events import EventBus
from ouzel.services.noticing import FAILED_FOR
from ouzel.services.settings import SecretBox
from ouzel.store.db import Db
from ouzel.store.downloads import DownloadRepo
from ouzel.system.clock import Clock

_log = logging.getLogger(__name__)
_TOLD_EVERY_S = 0.5
_WRITTEN_EVERY_S = 5.0
_MOST_WHY = 500
_S = DownloadState


@dataclass(slots=True)
class Fetching:
    """A download that runs in this process."""

    download: Download
    pace: Pace
    progress: DownloadProgress = field(default_factory=lambda: DownloadProgress("resolving"))
    news: anyio.Event = field(default_factory=anyio.Event)

    def heard(self, progress: DownloadProgress) -> None:
        """Never waits."""
        self.progress = progress
        self.news.set()


class Downloads:
    """
    Args:
        engine: gives what runs a download; asked for with the first one, so that who downloads nothing loads nothing of it.
        afterwards: what comes after those that are whole; None: nothing.
        sleep: as `clock` tells the time.
    """

    def __init__(
        self,
        db: Db,
        repo: DownloadRepo,
        bus: EventBus,
        box: SecretBox,
        rules: DownloadRules,
        engine: Callable[[], Downloading],
        *,
        afterwards: ComesAfter | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.rules = rules
        self.repo = repo
        self.running: dict[str, Fetching] = {}
        """By id."""
        self._db = db
        self._bus = bus
        self._box = box
        self._engine = engine
        self._clock = clock or db.clock
        self._sleep = sleep
        self._afterwards = afterwards
        self._made: Downloading | None = None

    # -- what users ask -----------------------------------------------------------------------------------------------

    async def add(self, new: NewDownload) -> Download:
        """Raises: BadUrl, SchemeRefused, BadOption; Conflict: another one writes the same file, or has, and it is there."""
        download = await anyio.to_thread.run_sync(read_new, new, self.rules, self._box, self._db.clock.now())
        whole = await self.repo.whole(download.target, download.address)
        if whole is not None and await anyio.Path(whole.path or "").is_file():
            raise Conflict(f"it is there already: {whole.path}", existing=whole.id)
        async with self._db.transaction() as tx:
            await self.repo.add_in(tx, download)
        return download

    async def add_many(self, wanted: Sequence[NewDownload]) -> list[Download | OuzelError]:
        """What came of each. What is wrong with one keeps no other out."""
        done: list[Download | OuzelError] = []
        for each in wanted:
            try:
                done.append(await self.add(each))
            except OuzelError as exc:
                if isinstance(exc, StorageError):
                    raise
                done.append(exc)
        return done

    async def edit(
        self,
        download_id: str,
        *,
        revision: int | None = None,
        name: str | None = None,
        prio: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Download:
        """What it is called, and whom it goes before; its file keeps its name. Raises: NotFound, ChangedSince."""
        given = {"name": name, "prio": prio, "metadata": metadata}
        values = {key: value for key, value in given.items() if value is not None}
        async with self._db.transaction() as tx:
            before = await self.repo.get_in(tx, download_id)
            _require_revision(before, revision)
            return await self.repo.change_in(tx, before, **values) if values else before

    async def pause(self, download_id: str) -> Download:
        """What is there stays. Raises: NotFound; Conflict: it is over."""
        return await self._end(download_id, After.PAUSE, {_S.PENDING, _S.DOWNLOADING}, {_S.PAUSED})

    async def cancel(self, download_id: str) -> Download:
        """What is there stays until it is removed. Raises: NotFound; Conflict: it is whole."""
        open_ = {_S.PENDING, _S.DOWNLOADING, _S.PAUSED, _S.FAILED}
        return await self._end(download_id, After.CANCEL, open_, {_S.CANCELLED})

    async def resume(self, download_id: str) -> Download:
        """Raises: NotFound; Conflict: it is neither paused nor about to be."""
        return await self._again(download_id, {_S.PAUSED}, {_S.PENDING, _S.DOWNLOADING})

    async def retry(self, download_id: str) -> Download:
        """From where it is, with all its tries. Raises: NotFound, Conflict: it is whole, paused, or at work."""
        return await self._again(download_id, {_S.FAILED, _S.CANCELLED, _S.PENDING}, set())

    async def remove(self, download_id: str, *, with_files: bool, revision: int | None = None) -> None:
        """Its row, and on demand what it has written; one that runs is ended first. Raises: NotFound, ChangedSince."""
        after = After.ERASE if with_files else After.REMOVE
        async with self._db.transaction() as tx:
            before = await self.repo.get_in(tx, download_id)
            _require_revision(before, revision)
            await self.repo.end_in(tx, before, after)
        await erase_all(self.repo, self._afterwards)

    async def _end(
        self, download_id: str, after: After, fitting: set[DownloadState], already: set[DownloadState]
    ) -> Download:
        async with self._db.transaction() as tx:
            before = await self.repo.get_in(tx, download_id)
            if before.state in already:
                return before
            if before.state not in fitting:
                raise Conflict(f"the download is {before.state} already", id=download_id)
            ended = await self.repo.end_in(tx, before, after)
            assert ended is not None
            return ended

    async def _again(self, download_id: str, fitting: set[DownloadState], already: set[DownloadState]) -> Download:
        async with self._db.transaction() as tx:
            before = await self.repo.get_in(tx, download_id)
            if before.state is _S.DOWNLOADING and before.after is not None:
                return await self.repo.again_in(tx, before)
            if before.state in already:
                return before
            if before.state not in fitting:
                raise Conflict(f"the download is {before.state}: there is nothing to begin again", id=download_id)
            return await self.repo.again_in(tx, before)

    async def troubles(self) -> list[Trouble]:
        """For the notices: what has failed, until it is begun again or removed, or for a week."""
        since = self._db.clock.now() - FAILED_FOR
        return failures(await self.repo.failed(since))

    # -- the body -----------------------------------------------------------------------------------------------------

    def body(self, at_once: int) -> Body:
        """For the supervisor. Who runs a download is cancelled at once when it is to end: what is there is not lost by it."""
        return Body(self.run, slots=at_once, ended=self.ended)

    async def settle(self) -> int:
        """After a kill: what was running runs again. Returns: how many."""
        number = await self.repo.settle()
        await erase_all(self.repo, self._afterwards)
        return number

    async def run(self, ctx: Context) -> None:
        """The body of `dl:ID`. Raises: StaleOwner; a bug of the engine's."""
        download = await self.repo.begin(ctx.grant)
        if download is None:
            return
        try:
            wish = wish_of(download, self.rules, self._box)
        except (OuzelError, TypeError) as exc:  # TypeError: a newer version wrote it
            error = exc if isinstance(exc, OuzelError) else BadOption(f"it was added by another version: {exc}")
            await self._failed(ctx, Fetching(download, self.rules.pace), error)
            return
        fetching = self.running[download.id] = Fetching(download, wish.pace)
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(self._tell, ctx, fetching)
                try:
                    outcome = await self._downloading().run(wish, on_progress=fetching.heard)
                except OuzelError as exc:
                    if isinstance(exc, StaleOwner):
                        raise
                    beside.cancel_scope.cancel()
                    with anyio.CancelScope(shield=True):
                        await self._failed(ctx, fetching, exc)
                else:
                    beside.cancel_scope.cancel()
                    with anyio.CancelScope(shield=True):
                        await self._completed(ctx, outcome)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True), suppress(StaleOwner, StorageError):
                await self._note(ctx, fetching)
            raise
        finally:
            if self.running.get(download.id) is fetching:
                del self.running[download.id]
            self._bus.hush("download.progress", download.id)

    async def ended(self, ctx: Context, ending: Ending) -> bool:
        """Where the body did not come to write its end: it was stopped, or met a bug."""
        with suppress(StaleOwner):  # its end is written already
            if ending.error is not None and (download := await self.repo.find(name_of(ctx.key))) is not None:
                await self._failed(ctx, Fetching(download, self.rules.pace), ending.error)
            else:
                await self.repo.over(ctx.grant, _S.PENDING, {})
        if ctx.reason is StopReason.UNWANTED:
            await erase_all(self.repo, self._afterwards)
        return True

    def _downloading(self) -> Downloading:
        if self._made is None:
            self._made = self._engine()
        return self._made

    async def _tell(self, ctx: Context, fetching: Fetching) -> None:
        """Beside the engine, until cancelled: listeners twice a second at most, the row now and then. Raises: StaleOwner."""
        written_s, file = self._clock.monotonic(), ""
        while True:
            await fetching.news.wait()
            fetching.news = anyio.Event()
            progress = fetching.progress
            self._bus.tell(Happening("download.progress", fetching.download.id, told(progress)))
            is_new = progress.file != file and progress.bytes_done > 0
            if is_new or self._clock.monotonic() - written_s >= _WRITTEN_EVERY_S:
                with suppress(StorageError):  # the disk of the database is full: that ends no download
                    await self._note(ctx, fetching)
                written_s, file = self._clock.monotonic(), progress.file
            await self._sleep(_TOLD_EVERY_S)

    async def _note(self, ctx: Context, fetching: Fetching) -> None:
        """Raises: StaleOwner, StorageError."""
        if values := counted(fetching.progress):
            await self.repo.note(ctx.grant, values)

    async def _completed(self, ctx: Context, outcome: DownloadOutcome) -> None:
        values = kept(outcome) | {"pieces_done": outcome.pieces, "code": None, "why": None}
        then = self._afterwards.downloaded_in if self._afterwards else None
        await self.repo.over(ctx.grant, _S.COMPLETED, values, then=then)

    async def _failed(self, ctx: Context, fetching: Fetching, error: Exception) -> None:
        """Tried again after a while if that can help and it has tries left."""
        download = fetching.download
        wait_s = retry_in_s(error, download.retries, fetching.pace)
        code = error.code if isinstance(error, OuzelError) else OuzelError.code
        values: dict[str, Any] = {"code": code, "why": said(error)[:_MOST_WHY]}
        if download.id in self.running:
            values |= counted(fetching.progress)
        if isinstance(error, OuzelError) and isinstance(outcome := error.context.get("outcome"), DownloadOutcome):
            values.pop("path", None)  # it is closed, and has its own name
            values = kept(outcome) | values
        if wait_s is None:
            await self.repo.over(ctx.grant, _S.FAILED, values)
            _log.warning("download %s (%s) failed: %s", download.id, download.shown_name, values["why"])
            return
        if not is_of_the_disk(error):
            values["retries"] = download.retries + 1
        await self.repo.over(ctx.grant, _S.PENDING, values, hold_s=wait_s)


def _require_revision(before: Download, revision: int | None) -> None:
    if before.after in GOING:
        raise NotFound(f"there is no download {before.id}")
    if revision is not None and revision != before.revision:
        raise ChangedSince("the download was changed since it was read")
