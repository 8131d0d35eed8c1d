"""The tables of `ouzel.toml` that say how the daemon works, a class each. `ouzel config example` is made of this page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from ouzel.config.values import Network, Size, WebAddress, Within

Level: TypeAlias = Literal["error", "warning", "info", "debug"]
LogFormat: TypeAlias = Literal["text", "json"]
DownloadProfile: TypeAlias = Literal["", "fast", "stable", "low_bandwidth"]
HookShape: TypeAlias = Literal["ouzel", "douyin_live_recorder"]


_NO_ADDRESS = WebAddress("")
_MIN_FREE = Size(5 * 1024**3)
_NO_LIMIT = Size(0)
_AS_ABOVE = Size(0)
_LOG_FILE = Size(10 * 1024**2)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the web page and the API are."""

    host: str = "127.0.0.1"
    """An address of this machine; "0.0.0.0" or "::" are all of them; "unix:/run/ouzel.sock" is a socket in the file system."""
    port: Annotated[int, Within(0, 65535)] = 8521
    """0 takes any that is free."""
    public_url: WebAddress = _NO_ADDRESS
    """The address that browsers use, where a proxy stands in between: "https://ouzel.example.org", or "https://example.org/tv"."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies whose word about the client is taken (X-Forwarded-For, -Proto and -Prefix)."""


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
class RootSettings:
    """Another place for media, be it a disk or a network folder. Channels name it (`root`), and steps that move files."""

    path: Path = Path()
    """Its folder, which Ouzel does not make: make it when the disk is mounted, best below the mount point. None is in another."""
    min_free: Size = _AS_ABOVE
    """As that of [storage], for this one; "0B": the same."""
    public_url: WebAddress = _NO_ADDRESS
    """Where another web server gives out what is in the folder: "https://media.example.org/ouzel"."""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """What rules delete, and the trash."""

    on: bool = True
    """Off: rules delete nothing, and the trash is emptied by hand only."""
    every: Annotated[timedelta, Within("1m", "7d")] = timedelta(hours=1)
    """How often the rules are looked at; sooner when a disk is low."""
    trash: Annotated[timedelta, Within("0s", "3650d")] = timedelta(days=7)
    """So long a recording stays in the trash, and can be taken out of it, while there is room. 0s: rules delete at once."""


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
class DownloadSettings:
    """What is fetched once."""

    folder: Path = Path()
    """Where it goes. Empty: the folder "downloads" in that of the data."""
    folders: tuple[Path, ...] = ()
    """Others that a download may name; into all else none is written."""
    at_once: Annotated[int, Within(1, 100)] = 3
    """So many downloads at the same time; the others wait."""
    connections: Annotated[int, Within(1, 16)] = 8
    """At most so many for one download; fewer where the server brings no more with them."""
    most_connections: Annotated[int, Within(1, 16)] = 16
    """No download gets more, whatever it asks for."""
    retries: Annotated[int, Within(0, 1000)] = 3
    """Further tries for a segment that failed, and then for the download."""
    retry_delay: Annotated[timedelta, Within("0s", "1h")] = timedelta(seconds=1)
    """Before the first of them; doubled with each further one."""
    connect_timeout: Annotated[timedelta, Within("1s", "10m")] = timedelta(seconds=10)
    """Until a connection stands."""
    read_timeout: Annotated[timedelta, Within("1s", "10m")] = timedelta(seconds=10)
    """Without a byte."""
    profile: DownloadProfile = ""
    """The usual one of those below; empty: as is set here."""
    pipeline: str = ""
    """Name of the pipeline that is run over what was downloaded (`ouzel pipelines`); empty: none."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Work on files that are whole: how many jobs run at the same time. They run behind everything that records."""

    media: Annotated[int, Within(1, 64)] = 1
    """Other formats, pictures, subtitles."""
    transfer: Annotated[int, Within(1, 64)] = 2
    """Copies to remotes, moves between storage roots."""
    hooks: Annotated[int, Within(1, 64)] = 2
    """Hooks that are steps of a pipeline."""
    disk: Annotated[int, Within(1, 64)] = 1
    """Recovery, checks of files, deletion by rules."""


@dataclass(frozen=True, slots=True)
class TransferSettings:
    """Copies to remotes (`ouzel remotes`)."""

    limit_rate: Size = _NO_LIMIT
    """So many bytes a second for all uploads together; 0: as fast as it goes."""
    timeout: Annotated[timedelta, Within("1s", "1h")] = timedelta(minutes=5)
    """Without an answer; for S3 also for one part of 8 MiB."""
    rclone: str = "rclone"
    """The program: a path, or a name on PATH."""
    rclone_config: Path = Path()
    """Its own configuration file. Empty: where rclone looks for it."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """What a download that names this profile does otherwise."""

    connections: Annotated[int, Within(1, 16)] = 8
    """At most so many for one download."""
    retries: Annotated[int, Within(0, 1000)] = 3
    """Further tries for a segment that failed, and then for the download."""
    retry_delay: Annotated[timedelta, Within("0s", "1h")] = timedelta(seconds=1)
    """Before the first of them; doubled with each further one."""


def usual_profiles() -> dict[str, ProfileSettings]:
    """As they are where nothing is set."""
    return {
        "fast": ProfileSettings(16, 1, timedelta(seconds=0.5)),
        "stable": ProfileSettings(8, 5, timedelta(seconds=2)),
        "low_bandwidth": ProfileSettings(2, 3),
    }


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
