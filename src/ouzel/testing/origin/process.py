"""An origin in a process of its own, steered from synchronous code.

For tests that drive the real command, for demonstrations and for benchmarks: the origin's work is not counted with the work
of what is measured. `OriginProcess` and the channels and rules that it hands out have the methods of `LiveOrigin`, `Channel`
and `Rule` that are not coroutines; calls travel as pickles over a pipe between a parent and its own child.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from inspect import getattr_static
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import anyio

from ouzel.testing.origin.channel import Channel
from ouzel.testing.origin.continuous import FlvFaults, FlvOptions
from ouzel.testing.origin.faults import Rule
from ouzel.testing.origin.options import Hls
from ouzel.testing.origin.origin import LiveOrigin
from ouzel.testing.origin.server import Request

_START_S = 30.0
_STOP_S = 10.0
_PLAIN = (str, bytes, int, float, datetime, Request, Hls, type(None))
_REMOTE = {kind.__name__: kind for kind in (LiveOrigin, Channel, Rule, FlvFaults, FlvOptions)}


class OriginProcess:
    """A `LiveOrigin` in a child process, from `with` to `with`'s end.

        with OriginProcess() as process:
            show = process.origin.channel("show", clip, speed=1)
            subprocess.run(["ouzel", "record", show.url])

    Args:
        certificate, key: PEM files, to serve HTTPS.
        port: 0 picks a free one.
    """

    def __init__(self, *, port: int = 0, certificate: Path | None = None, key: Path | None = None) -> None:
        self._arguments = ["--port", str(port)]
        if certificate is not None and key is not None:
            self._arguments += ["--certificate", str(certificate), "--key", str(key)]
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None

    def __enter__(self) -> Self:
        ours, theirs = cast("tuple[Connection[Any, Any], Connection[Any, Any]]", Pipe())
        try:
            command = [sys.executable, "-m", "ouzel.testing.origin", *self._arguments, "--steer", str(theirs.fileno())]
            self._child = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        finally:
            theirs.close()
        self._pipe = ours
        if not ours.poll(_START_S):
            self.__exit__(None, None, None)
            raise TimeoutError("the origin's process does not answer")
        ours.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pipe is not None:
            self._pipe.close()  # the child ends when its end of the pipe does
        if self._child is not None:
            try:
                self._child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    @property
    def origin(self) -> LiveOrigin:
        """The origin; its coroutines (`wait_hits`) are not to be had from here."""
        return cast("LiveOrigin", _Remote(self._call, "LiveOrigin", 0))

    @property
    def pid(self) -> int:
        """For those who measure it."""
        assert self._child is not None
        return self._child.pid

    def _call(self, target: int, name: str, arguments: tuple[Any, ...] | None, options: dict[str, Any]) -> object:
        """Call a method, set an attribute (`options` holds it) or, without arguments, read one."""
        assert self._pipe is not None
        self._pipe.send((target, name, arguments, options))
        failed, result = cast("tuple[bool, object]", self._pipe.recv())
        if failed:
            raise cast("BaseException", result)
        if isinstance(result, _Reference):
            return _Remote(self._call, result.kind, result.number)
        return result


class _Reference:
    """An object that stays in the child."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind = kind
        self.number = number


class _Remote:
    """Stands for an object in the child."""

    def __init__(self, call: Callable[..., object], kind: str, number: int) -> None:
        self.__dict__.update(_call=call, _kind=kind, _number=number)

    def __getattr__(self, name: str) -> object:
        call, number = self.__dict__["_call"], self.__dict__["_number"]
        if callable(getattr_static(_REMOTE[self.__dict__["_kind"]], name, None)):

            def method(*arguments: object, **options: object) -> object:
                return call(number, name, arguments, options)

            return method
        return call(number, name, None, {})

    def __setattr__(self, name: str, value: object) -> None:
        self.__dict__["_call"](self.__dict__["_number"], name, None, {"value": value})


async def steer(origin: LiveOrigin, descriptor: int) -> None:
    """Do what comes over the pipe until its other end is closed. (The child's side.)"""
    with Connection(descriptor) as pipe:
        pipe.send("ready")
        kept: list[object] = [origin]
        while True:
            await anyio.wait_readable(pipe.fileno())
            try:
                target, name, arguments, options = cast("tuple[int, str, Any, dict[str, Any]]", pipe.recv())
            except EOFError:
                return
            pipe.send(_do(kept, target, name, arguments, options))


def _do(
    kept: list[object], target: int, name: str, arguments: tuple[Any, ...] | None, options: dict[str, Any]
) -> tuple[bool, object]:
    """Whether it failed, and the result or the error."""
    try:
        if arguments is not None:
            result: object = getattr(kept[target], name)(*arguments, **options)
        elif options:
            setattr(kept[target], name, options["value"])
            result = None
        else:
            result = getattr(kept[target], name)
    except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        return True, error
    if type(result).__name__ in _REMOTE:
        number = next((number for number, known in enumerate(kept) if known is result), len(kept))
        if number == len(kept):
            kept.append(result)
        return False, _Reference(type(result).__name__, number)
    values = cast("list[object]", result) if isinstance(result, list) else [result]
    if not all(isinstance(value, _PLAIN) for value in values):
        return True, TypeError(f"{name} cannot be had from another process")
    return False, values if isinstance(result, list) else result
