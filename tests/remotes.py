"""Remotes on loopback: rclone's own servers, which are real ones, and a remote of each sort that leads there."""

from __future__ import annotations

import hashlib
import re
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ouzel.engine.transfer.rclone import find_rclone
from ouzel.engine.transfer.transport import TransferRules

S3 = {"bucket": "bucket", "access_key": "ACCESSKEY", "secret_key": "a-SECRET-key"}
_OF_THE_SERVER = ".rclone_temp_"
"""Where it keeps what is being sent; nobody is shown these."""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Servers:
    """Where they are, and what they keep."""

    s3: str
    bucket: Path
    disk: Path
    """Of the remote `disk`."""
    dav: Path
    """Of the remote `dav`."""
    config: Path

    def rules(self, **values: Any) -> TransferRules:
        return TransferRules(timeout_s=10.0, rclone_config=str(self.config), **values)

    def settings(self, name: str) -> tuple[str, dict[str, Any]]:
        """Kind and settings. `name`: s3, disk, dav."""
        return ("s3", S3 | {"endpoint": self.s3}) if name == "s3" else ("rclone", {"remote": name})

    def files(self, name: str) -> dict[str, bytes]:
        """What is there, by path."""
        folder = {"s3": self.bucket, "disk": self.disk, "dav": self.dav}[name]
        found = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(_OF_THE_SERVER))
        return {str(p.relative_to(folder)): p.read_bytes() for p in found}

    def digests(self, name: str) -> dict[str, str]:
        """The same by MD5."""
        return {path: hashlib.md5(data).hexdigest() for path, data in self.files(name).items()}


@contextmanager
def open_servers(folder: Path) -> Iterator[Servers]:
    config = folder / "rclone.conf"
    names = [folder / name for name in ("s3/bucket", "disk", "dav")]
    for each in names:
        each.mkdir(parents=True)
    keys = f"{S3['access_key']},{S3['secret_key']}"
    with _serving("s3", folder / "s3", "--auth-key", keys) as s3, _serving("webdav", folder / "dav") as dav:
        config.write_text(
            f"[disk]\ntype = alias\nremote = {folder / 'disk'}\n\n[dav]\ntype = webdav\nurl = {dav}\nvendor = other\n\n"
            "[nobody]\ntype = webdav\nurl = http://127.0.0.1:1\nvendor = other\n"
        )
        yield Servers(s3, names[0], names[1], names[2], config)


@contextmanager
def _serving(kind: str, folder: Path, *more: str) -> Iterator[str]:
    """Its address."""
    command = [
        find_rclone("rclone"),
        "serve",
        kind,
        "--addr",
        "127.0.0.1:0",
        "--config",
        "/dev/null",
        *more,
        str(folder),
    ]
    with (folder.parent / f"{kind}.log").open("wb+") as log:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=log, bufsize=0)
        try:
            yield _address(process)
        finally:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


def _address(process: subprocess.Popen[bytes]) -> str:
    said = b""
    assert process.stderr is not None
    while not (found := _ADDRESS.search(said.decode("utf-8", "replace"))):
        ready, _, _ = select.select([process.stderr], [], [], 30.0)
        piece = process.stderr.read(4096) if ready else b""
        assert piece, f"rclone serve: {said!r}"
        said += piece
    return found[0]
