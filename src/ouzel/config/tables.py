"""The tables of `ouzel.toml` that say how the daemon works, a class each. `ouzel config example` is made of this page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from ouzel.config.values import Network, Size, WebAddress, Within

Level: TypeAlias = Literal["error", "warning", "info", "debug"]
LogFormat: TypeAlias = Literal["text", "json"]
HookShape: TypeAlias = Literal["ouzel", "douyin_live_recorder"]


_NO_ADDRESS = WebAddress("")
_MIN_FREE = Size(5 * 1024**3)
_LOG_FILE = Size(10 * 1024**2)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the web page and the API are."""

    host: str = "127.0.0.1"
    """An address of this machine; "0.0.0.0" or "::" are all of them; "unix:/run/ouzel.sock" is a socket in the file system."""
    port: Annotated[int, Within(0, 65535)] = 8521
    """0 takes any that is free."""
    public_url: WebAddress = _NO_ADDRESS
    """The address that browsers use, where a proxy stands in between: "https://ouzel.example.org"."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies whose word about the client's address is taken (X-Forwarded-For)."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where things are kept. Paths begin at the folder of this file; "~" is the home of the user."""

    data: Path = Path()
    """The database, and what belongs to it; a local disk. Empty: $XDG_DATA_HOME/ouzel, which is mostly ~/.local/share/ouzel."""
    recordings: Path = Path()
    """Media. Empty: the folder "recordings" in the one above."""
    min_free: Size = _MIN_FREE
    """No recording begins, and those that run are paused, while the disk has less free space than this."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """The process."""

    shutdown_timeout: Annotated[timedelta, Within("1s", "1h")] = timedelta(seconds=10)
    """So long may the end of all recordings take; what is not closed by then is recovered at the next start."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is told of the daemon's work."""

    level: Level = "info"
    """"error", "warning", "info" or "debug"."""
    format: LogFormat = "text"
    """"text" for people; "json": an object a line."""
    file: Path = Path()
    """Empty: standard error."""
    file_size: Annotated[Size, Within("64KiB")] = _LOG_FILE
    """Before it grows larger, the file is renamed to FILE.1, that one to FILE.2, and so on."""
    files_kept: Annotated[int, Within(1, 1000)] = 5
    """So many renamed ones are kept."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How often platforms are asked who is on air."""

    interval: Annotated[timedelta, Within("10s", "1d")] = timedelta(seconds=30)
    """Between two questions about a channel; more often near the hours at which it usually begins, else less."""
    requests_per_minute: Annotated[int, Within(1, 6000)] = 60
    """To one platform, for all its channels."""
    notify_interval: Annotated[timedelta, Within("0s")] = timedelta(minutes=30)
    """No second notice of the same kind about a channel sooner than this."""


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What the daemon records."""

    park: Annotated[timedelta, Within("0s", "1d")] = timedelta(seconds=80)
    """A broadcast that dropped may come back for so long, and is the same one then."""
    at_once: Annotated[int, Within(0)] = 0
    """So many recordings at the same time; 0: as many as there are."""


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who is let in."""

    access_life: Annotated[timedelta, Within("1m", "1h")] = timedelta(minutes=15)
    """So long a browser's token is good before it is exchanged for a new one."""
    refresh_life: Annotated[timedelta, Within("1h", "365d")] = timedelta(days=30)
    """Who was not here for so long signs in again."""
    password_min: Annotated[int, Within(8, 128)] = 12
    """Characters in a password, at least."""
    attempts: Annotated[int, Within(1, 1000)] = 10
    """Wrong passwords from one address in 15 minutes, before it has to wait."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """A program that is started when something happens."""

    command: tuple[str, ...] = ()
    """The program and its arguments. Nothing in it is read by a shell."""
    shell: bool = False
    """The command is one text, and a shell reads it."""
    on: tuple[str, ...] = ("recording.finished",)
    """The events at which it is started."""
    all: bool = False
    """For all channels; else for those whose settings name it."""
    shape: HookShape = "ouzel"
    """What it is told, and how: "ouzel", or as DouyinLiveRecorder told its scripts: "douyin_live_recorder"."""
    timeout: Annotated[timedelta, Within("1s", "7d")] = timedelta(minutes=10)
    """It is ended when it takes longer."""


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The page `/metrics`, for Prometheus."""

    open: bool = False
    """Whoever reaches the server may read it; else only who has a token."""
