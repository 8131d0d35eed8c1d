"""Who records: what is started, how it is ended, and what its recordings look like."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from live.cases import Entry, Kind

HERE = Path(__file__).parent
STREAMLINK = "streamlink==8.6.3"


@dataclass(frozen=True)
class Launch:
    """One process to start."""

    arguments: Sequence[str]
    log: Path
    """Where its output goes; errors beside it."""
    stop: signal.Signals = signal.SIGTERM
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Site:
    """Where a run takes place."""

    recordings: Path
    logs: Path
    ca_file: Path
    peers: Path
    """Folder of the virtual environment of those that Python's package index has."""


def launches(entry: Entry, urls: Sequence[str], site: Site) -> list[Launch]:
    """The processes that record these addresses."""
    environment = {"SSL_CERT_FILE": str(site.ca_file)} if entry.tls else {}
    suffix = {"hls": "ts", "flv": "flv"}[entry.kind]
    if entry.tool == "ouzel":
        command = [sys.executable, "-m", "ouzel", "record", *urls, "-o", f"{site.recordings}/", "--json"]
        return [Launch(command, site.logs / "ouzel.jsonl", environment=environment)]
    if entry.tool in ("copy", "bare copy"):
        client = "ouzel" if entry.tool == "copy" else "bare"
        command = [sys.executable, str(HERE / "copying.py"), client, str(site.recordings), *urls]
        return [Launch(command, site.logs / "copy.log", environment=environment)]
    files = [str(site.recordings / f"{number}.{suffix}") for number in range(len(urls))]
    pairs = list(zip(urls, files, strict=True))
    if entry.tool == "ffmpeg":
        trust = ["-tls_verify", "1", "-ca_file", str(site.ca_file)] if entry.tls else []
        head = ["ffmpeg", "-nostdin", "-loglevel", "error", *trust]
        return [Launch([*head, "-i", url, "-c", "copy", file], site.logs / "ffmpeg.log") for url, file in pairs]
    plugin = {"hls": "hls", "flv": "httpstream"}[entry.kind]
    head = [str(site.peers / "bin" / "streamlink"), "--loglevel", "error"]
    return [
        Launch([*head, "-o", file, f"{plugin}://{url}", "best"], site.logs / "streamlink.log", signal.SIGINT)
        for url, file in pairs
    ]


def keeps_packets(tool: str, kind: Kind) -> bool:
    """Whether the recording of a TS still has the null packets in which marks cannot be cut; a remuxer drops them."""
    return kind == "hls" and tool != "ffmpeg"


def why_missing(tool: str, peers: Path, *, install: bool) -> str | None:
    """Why a tool cannot take part; None when it can. What the package index has is installed if that is allowed."""
    if tool == "ffmpeg":
        return None if shutil.which("ffmpeg") else "ffmpeg is not on PATH"
    if tool != "streamlink" or (peers / "bin" / "streamlink").exists():
        return None
    if not install:
        return f"streamlink is not in {peers}, and nothing was to be installed"
    print(f"installing {STREAMLINK} into {peers}", flush=True)
    venv.create(peers, with_pip=True)
    done = subprocess.run(
        [str(peers / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", STREAMLINK],
        check=False,
        capture_output=True,
        text=True,
    )
    return None if done.returncode == 0 else f"streamlink cannot be installed: {done.stderr.strip()[-200:]}"


def version_of(tool: str, peers: Path) -> str:
    """A tool's own first line about itself."""
    command = {
        "ouzel": [sys.executable, "-m", "ouzel", "--version"],
        "ffmpeg": ["ffmpeg", "-version"],
        "streamlink": [str(peers / "bin" / "streamlink"), "--version"],
    }.get(tool)
    if command is None:
        return ""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    words = done.stdout.split("\n", 1)[0].replace(" version", "").replace(",", "").split()
    return " ".join(words[:2])
