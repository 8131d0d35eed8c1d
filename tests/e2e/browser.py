"""Chromium without a screen, steered over a pipe: the DevTools protocol as JSON documents that each end with a NUL.

Source: Chromium's `--remote-debugging-pipe`: it reads from descriptor 3 and writes to descriptor 4.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any, cast

NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it refuses to run as root otherwise; what it opens is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)
_END_S = 20.0
_BECOME = """
import fcntl, os, sys
taken = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]
for number, fd in enumerate(taken, 3):
    os.dup2(fd, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A running Chromium. Made by `open_browser`."""

    def __init__(self, to_it: int, from_it: int) -> None:
        self._to_it = to_it
        self._from_it = from_it
        self._held = bytearray()
        self._last = 0
        self._events: list[dict[str, Any]] = []

    def ask(self, method: str, *, session: str | None = None, limit_s: float = 60.0, **params: Any) -> dict[str, Any]:
        """Call a method and wait for its result. Raises: RuntimeError with what Chromium says against it."""
        self._last += 1
        call = {"id": self._last, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._to_it, json.dumps(call).encode() + b"\0")
        while (answer := self._read(limit_s)).get("id") != self._last:
            self._events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return cast("dict[str, Any]", answer["result"])

    @contextmanager
    def page(self, address: str) -> Iterator[str]:
        """Open an address; gives the session in which it can be spoken to."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        try:
            session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self.ask("Page.enable", session=session)
            said = self.ask("Page.navigate", session=session, url=address)
            if "errorText" in said:
                raise RuntimeError(f"{address}: {said['errorText']}")
            self._wait("Page.loadEventFired", session)
            yield session
        finally:
            self.ask("Target.closeTarget", targetId=target)

    def evaluate(self, session: str, script: str, *, limit_s: float = 60.0) -> Any:
        """The value of an expression; of a promise, what it is resolved with."""
        said = self.ask(
            "Runtime.evaluate",
            session=session,
            limit_s=limit_s,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in said:
            raise RuntimeError(str(said["exceptionDetails"].get("exception", said["exceptionDetails"])))
        return said["result"].get("value")

    def _wait(self, event: str, session: str, limit_s: float = 60.0) -> None:
        while not any(e.get("method") == event and e.get("sessionId") == session for e in self._events):
            self._events.append(self._read(limit_s))
        self._events.clear()

    def _read(self, limit_s: float) -> dict[str, Any]:
        while b"\0" not in self._held:
            if not select([self._from_it], [], [], limit_s)[0]:
                raise TimeoutError(f"Chromium has said nothing for {limit_s} s")
            if not (data := os.read(self._from_it, 1 << 16)):
                raise RuntimeError("Chromium has ended")
            self._held += data
        document, _, rest = self._held.partition(b"\0")
        self._held = rest
        return cast("dict[str, Any]", json.loads(document))


@contextmanager
def open_browser(program: str, folder: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile in `folder`, and end it with everything that it started."""
    its_in, to_it = os.pipe()
    from_it, its_out = os.pipe()
    command = [sys.executable, "-I", "-S", "-c", _BECOME, str(its_in), str(its_out), program]
    child = subprocess.Popen(
        [*command, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(its_in, its_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "HOME": str(folder)},
    )
    os.close(its_in)
    os.close(its_out)
    try:
        browser = Browser(to_it, from_it)
        yield browser
        browser.ask("Browser.close")
        child.wait(_END_S)
    finally:
        os.close(to_it)
        os.close(from_it)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
