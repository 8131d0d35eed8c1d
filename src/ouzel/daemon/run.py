"""The life of the daemon: it begins, works until it is told to end, and ends in time."""

from __future__ import annotations

import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio

from ouzel import __version__
from ouzel.api.app import make_app
from ouzel.api.page import setup_link
from ouzel.base.errors import OuzelError
from ouzel.config.settings import Settings
from ouzel.daemon.build import Daemon, open_daemon
from ouzel.daemon.lock import Lock, hold
from ouzel.daemon.server import WebServer
from ouzel.daemon.sockets import Listening, bind
from ouzel.daemon.view import View
from ouzel.model.happening import Happening
from ouzel.platforms.registry import registry
from ouzel.services.telling_stories import Say
from ouzel.system.clock import SystemClock

_log = logging.getLogger("ouzel.daemon")
_REST_S = 60.0


@dataclass(frozen=True, slots=True)
class Ready:
    """It is up."""

    daemon: Daemon
    address: str
    setup: str | None
    """Where the first account is made; None: there is one."""


async def serve(
    settings: Settings,
    on_ready: Callable[[Ready], None],
    *,
    follow: Sequence[Path] = (),
    view: View | None = None,
    stop: anyio.Event | None = None,
    say: Say | None = None,
    language: str = "en",
) -> None:
    """Until SIGINT or SIGTERM; the second one is not ours any more.

    Args:
        follow: folders of other recorders, whose files are obeyed: absolute, for what is kept of a file is known by its path.
        view: shows what is going on.
        stop: ends it as well.
        say, language: of messages, as in `open_daemon`.
    Raises: DataFolderBusy, CannotListen, and what `open_daemon` raises.
    """
    stop = stop or anyio.Event()
    with ExitStack() as held:
        lock = held.enter_context(hold(settings.storage.data, now=SystemClock().now()))
        door = held.enter_context(bind(settings.server.host, settings.server.port))
        async with open_daemon(settings, say=say, language=language) as daemon:
            await _run(daemon, lock, door, on_ready, follow, view, stop)


async def _run(
    daemon: Daemon,
    lock: Lock,
    door: Listening,
    on_ready: Callable[[Ready], None],
    follow: Sequence[Path],
    view: View | None,
    stop: anyio.Event,
) -> None:
    web = WebServer(make_app(daemon.services), door.sockets)
    lock.tell(door.address)
    token = await daemon.services.auth.setup_token()
    all_over, web_over = anyio.Event(), anyio.Event()
    base = str(daemon.settings.server.public_url) or door.address
    async with daemon.db.transaction() as tx:
        tx.emit(Happening("daemon.began", "daemon", {"version": __version__, "address": door.address}))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_obey_signals, stop, view, name="signals")
        tasks.start_soon(_until_over, web.run, web_over, name="web")
        for name, task in daemon.tasks.items():
            tasks.start_soon(task, name=name)
        for folder in follow:
            tasks.start_soon(_follow, daemon, folder, name=f"follow:{folder}")
        tasks.start_soon(_until_over, daemon.supervisor.run, all_over, name="supervisor")
        tasks.start_soon(_sweep, daemon, name="sweep")
        daemon.overviews.address = door.address
        if view is not None:
            await tasks.start(view.run, daemon.overviews.look, name="view")
        on_ready(Ready(daemon, door.address, setup_link(base, token) if token else None))
        _log.info("ouzel %s listens on %s", __version__, door.address)
        await stop.wait()
        await _end(daemon, web, all_over, web_over)
        tasks.cancel_scope.cancel()


async def _follow(daemon: Daemon, folder: Path) -> None:
    from ouzel.services.following import Follower  # and with it all formats of other recorders
    from ouzel.services.obedience import Obedience

    follower = Follower(folder, registry(), daemon.db.clock)
    await Obedience(daemon.db, daemon.channels, daemon.notices, follower, folder).run()


async def _until_over(run: Callable[[], Awaitable[None]], over: anyio.Event) -> None:
    try:
        await run()
    finally:
        over.set()


async def _end(daemon: Daemon, web: WebServer, all_over: anyio.Event, web_over: anyio.Event) -> None:
    """First what records, then everything else."""
    within_s = daemon.settings.daemon.shutdown_timeout.total_seconds()
    _log.info("ending: %d recordings are closed", len(daemon.recordings.running))
    with anyio.CancelScope(shield=True):
        async with daemon.db.transaction() as tx:
            tx.emit(Happening("daemon.stopping", "daemon"))
        daemon.supervisor.stop(within_s)
        with anyio.move_on_after(within_s):
            await all_over.wait()
        daemon.services.events.close()
        web.stop()
        with anyio.move_on_after(1.0):
            await web_over.wait()
    _log.info("ended")


async def _sweep(daemon: Daemon) -> None:
    """What of the storage roots could not be looked at in time at the start, or was not mounted."""
    while not daemon.recovery.swept:
        await anyio.sleep(_REST_S)
        try:
            for recovered in await daemon.recovery.sweep(rest=True):
                _log.warning("found unfinished, and %s: %s", recovered.outcome.value, recovered.path)
        except OuzelError as exc:
            _log.error("the storage roots could not be swept: %s", exc)


async def _obey_signals(stop: anyio.Event, view: View | None) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            if stop.is_set():
                if view is not None:
                    view.close()
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            _log.info("%s: ending", signal.Signals(number).name)
            stop.set()
