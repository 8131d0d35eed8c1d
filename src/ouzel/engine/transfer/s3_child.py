"""The child process that has obstore: one request on its standard input, lines about it on its standard output.

Request: `{"op": "put" | "look" | "test", "settings", "key", "timeout_s"}`, and for `put` `{"path", "may_replace", "rate"}`.
Answers: `{"bytes"}` while it goes on; at last `{"found", "was_there"}`, or `{"code", "why"}`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ouzel.base.errors import (
    CopyDiffers,
    OuzelError,
    RemoteFull,
    RemoteRefused,
    RemoteTaken,
    RemoteUnreachable,
    StorageError,
    ToolMissing,
)
from ouzel.engine.sinks.file import storage_error
from ouzel.engine.transfer.parts import Etags, etags_of, part_bytes
from ouzel.engine.transfer.transport import FULL, Local
from ouzel.model.remotes import Found
from ouzel.system.guard import AddressClass, classify

_AT_ONCE = 4
_READ_BYTES = 1024 * 1024
_TOLD_EVERY_S = 0.25
_TEXT = b"Ouzel has tried whether it can write here."
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_SAID = re.compile(r"<Code>([^<]{1,80})</Code>(?:\s*<Message>([^<]{1,300})</Message>)?")
_KIND = re.compile(r"kind: (\w+)")
_NEVER = frozenset({AddressClass.LINK_LOCAL, AddressClass.OTHER})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_FULL_STATUS = 507
_OTHER_ETAG = (
    "the remote's ETag is no MD5 of what was sent (as where it encrypts by a key service): `verify=size` compares sizes only, "
    "`verify=read` reads the copy again"
)


class Stopped(Exception):
    """We were asked to end: what was sent so far is given up."""


class Work:
    """One request."""

    def __init__(self, doc: Mapping[str, Any]) -> None:
        self._doc = doc
        self._key: str = doc["key"]
        self._verify: str = doc["settings"].get("verify") or "digest"
        self.is_stopped = False
        self._broken: Exception | None = None
        """What went wrong on our side while obstore took what is sent: it would tell that as an error of its own."""
        try:
            self._obstore: Any = import_module("obstore")
        except ImportError:
            raise ToolMissing("obstore is not installed: pip install obstore") from None
        self._theirs = _theirs()
        self._store: Any = _store(doc["settings"], float(doc["timeout_s"]))

    async def run(self) -> dict[str, Any]:
        """The last answer. Raises: OuzelError."""
        match self._doc["op"]:
            case "put":
                found, was_there = await self._put(Local.of(Path(self._doc["path"])))
                return {"found": asdict(found), "was_there": was_there}
            case "look":
                found = await self._look()
                return {"found": asdict(found) if found else None, "was_there": found is not None}
            case _:
                return await self._test()

    async def _look(self) -> Found | None:
        try:
            meta = await self._obstore.head_async(self._store, self._key)
        except FileNotFoundError:
            return None
        except self._theirs as exc:
            raise refusal(exc) from None
        return Found(meta["size"], meta["e_tag"])

    # -- sending ------------------------------------------------------------------------------------------------------

    async def _put(self, local: Local) -> tuple[Found, bool]:
        before = await self._look()
        if before is not None:
            same = await self._same(local, before, _digests(local)) if before.bytes == local.bytes else None
            if same is not None:
                return same, True
            if not self._doc["may_replace"]:
                raise RemoteTaken(f"something else is at {self._key} already: give the step another path")
        etags = Etags(local.bytes)
        await self._send(local, etags)
        try:
            local.check_same()
            found = await self._look()
            if found is None or found.bytes != local.bytes:
                raise CopyDiffers(
                    f"{self._key} has {found.bytes if found else 'no'} bytes there, {local.bytes} were sent"
                )
            if (verified := await self._same(local, found, etags)) is None:
                raise CopyDiffers(f"{self._key}: {_OTHER_ETAG}")
        except CopyDiffers:
            await self._call(self._obstore.delete_async(self._store, self._key))
            raise
        return verified, False

    async def _send(self, local: Local, etags: Etags) -> None:
        length = part_bytes(local.bytes)
        if local.bytes <= length:
            data = b"".join([piece async for piece in self._pieces(local, etags)])
            await self._call(self._obstore.put_async(self._store, self._key, data, use_multipart=False))
            return
        options = {"chunk_size": length, "max_concurrency": _AT_ONCE, "use_multipart": True}
        await self._call(self._obstore.put_async(self._store, self._key, self._pieces(local, etags), **options))

    async def _pieces(self, local: Local, etags: Etags) -> AsyncIterator[bytes]:
        try:
            async for data in self._paced(local, etags):
                yield data
        except Exception as exc:
            self._broken = exc
            raise

    async def _paced(self, local: Local, etags: Etags) -> AsyncIterator[bytes]:
        """Read no faster than at the rate, and told as they are handed over."""
        rate, began_s, told_s, sent = int(self._doc.get("rate") or 0), time.monotonic(), 0.0, 0
        try:
            with local.path.open("rb") as file:
                while data := file.read(_READ_BYTES if not rate else min(_READ_BYTES, max(4096, rate // 4))):
                    if self.is_stopped:
                        raise Stopped
                    etags.add(data)
                    sent += len(data)
                    yield data
                    if time.monotonic() >= told_s + _TOLD_EVERY_S:
                        _say({"bytes": sent})
                        told_s = time.monotonic()
                    if rate:
                        await asyncio.sleep(max(0.0, began_s + sent / rate - time.monotonic()))
        except OSError as exc:
            raise storage_error(exc, local.path) from exc
        _say({"bytes": sent})

    async def _same(self, local: Local, found: Found, etags: Etags) -> Found | None:
        """What is known of the copy when it is the file's; None: it is not."""
        digest = f"md5:{etags.whole}"
        fits = etags.fits(found.etag)
        if fits:
            return Found(found.bytes, found.etag, digest)
        if self._verify == "read":
            return Found(found.bytes, found.etag, digest) if await self._read(local.bytes) == etags.whole else None
        if self._verify == "size" or found.etag is None:
            return Found(found.bytes, found.etag)
        return None

    async def _read(self, size: int) -> str:
        """MD5 of what is there."""
        whole, had = hashlib.md5(usedforsecurity=False), 0
        try:
            answer = await self._obstore.get_async(self._store, self._key)
            async for piece in answer.stream():
                data = bytes(piece)
                whole.update(data)
                had += len(data)
                _say({"bytes": min(had, size)})
        except self._theirs as exc:
            raise refusal(exc) from None
        return whole.hexdigest()

    # -- trying it ----------------------------------------------------------------------------------------------------

    async def _test(self) -> dict[str, Any]:
        etags = Etags(len(_TEXT))
        etags.add(_TEXT)
        await self._call(self._obstore.put_async(self._store, self._key, _TEXT, use_multipart=False))
        try:
            found = await self._look()
            if found is None or found.bytes != len(_TEXT) or await self._read(len(_TEXT)) != etags.whole:
                raise CopyDiffers("what was written is not what is read")
            if self._verify == "digest" and found.etag is not None and not etags.fits(found.etag):
                raise CopyDiffers(_OTHER_ETAG)
        finally:
            await self._call(self._obstore.delete_async(self._store, self._key))
        return {"found": None, "was_there": False}

    async def _call(self, asked: Any) -> Any:
        try:
            return await asked
        except self._theirs as exc:
            raise self._broken or refusal(exc) from None


def _digests(local: Local) -> Etags:
    try:
        with local.path.open("rb") as file:
            return etags_of(file, local.bytes)
    except OSError as exc:
        raise storage_error(exc, local.path) from exc


def _check_host(endpoint: str) -> None:
    """No metadata service of a cloud, whatever its name. Raises: RemoteRefused, RemoteUnreachable."""
    host = urlsplit(endpoint).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise RemoteUnreachable(f"there is no host {host}") from None
    if any(classify(ip_address(each[4][0])) in _NEVER for each in found):
        raise RemoteRefused(f"{host} is an address to which nothing is sent")


def _theirs() -> tuple[type[Exception], ...]:
    """What obstore raises: all else is a bug of ours."""
    return (import_module("obstore.exceptions").BaseError, OSError)


def _store(settings: Mapping[str, Any], timeout_s: float) -> Any:
    store: Any = import_module("obstore.store")
    endpoint = settings.get("endpoint")
    config: dict[str, Any] = {
        "access_key_id": settings["access_key"], "secret_access_key": settings["secret_key"],
        "region": settings.get("region") or "us-east-1",
        "virtual_hosted_style_request": bool(settings.get("virtual_host", not endpoint)),
    }  # fmt: skip
    if endpoint and not settings.get("proxy"):  # which looks up names itself
        _check_host(str(endpoint))
    if endpoint:
        config["endpoint"] = str(endpoint).rstrip("/")
    client: dict[str, Any] = {
        "allow_http": str(endpoint or "").startswith("http:"), "timeout": timedelta(seconds=timeout_s),
        "connect_timeout": timedelta(seconds=min(timeout_s, 20.0)),
    }  # fmt: skip
    if settings.get("proxy"):
        client["proxy_url"] = settings["proxy"]
    retries = {"max_retries": 3, "retry_timeout": timedelta(seconds=timeout_s)}
    try:
        return store.S3Store(settings["bucket"], config=config, client_options=client, retry_config=retries)
    except _theirs() as exc:
        raise refusal(exc) from None


def refusal(exc: Exception) -> OuzelError:
    """What obstore says, in a line that shows no key and no signature."""
    text = str(exc)
    status, said = _STATUS.search(text), _SAID.search(text)
    words = ": ".join(word.strip() for word in said.groups() if word) if said else ""
    if status is not None:
        code = int(status[1])
        why = f"the remote answers {code}" + (f" ({words})" if words else "")
        if code == _FULL_STATUS or FULL.search(words):
            return RemoteFull(why, status=code)
        return (RemoteUnreachable if code in _PASSING else RemoteRefused)(why, status=code)
    if isinstance(exc, FileNotFoundError):
        return RemoteRefused("there is no such bucket, or no such file in it")
    if type(exc).__name__ in {"PermissionDeniedError", "UnauthenticatedError"}:
        return RemoteRefused("the remote does not take these keys")
    if "HTTP error" in text or "error sending request" in text or "timed out" in text:
        kind = _KIND.search(text)
        how = {"Connect": "nothing answers there", "Timeout": "it does not answer in time"}.get(kind[1] if kind else "")
        return RemoteUnreachable(how or "the connection was lost")
    first = text.partition("\n")[0]
    return RemoteRefused(f"{type(exc).__name__}: {first[:200]}")


def _say(doc: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(doc) + "\n")
    sys.stdout.flush()


async def serve() -> int:
    doc: dict[str, Any] = json.loads(sys.stdin.readline())
    try:
        work = Work(doc)

        def stop() -> None:
            work.is_stopped = True

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        _say(await work.run())
    except Stopped:
        return 1
    except (OuzelError, StorageError) as exc:
        _say({"code": exc.code, "why": str(exc)})
    return 0


if __name__ == "__main__":
    code = asyncio.run(serve())
    os._exit(code)  # obstore's threads may still hold what they had of us: an orderly end would abort now and then
