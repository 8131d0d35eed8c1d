"""What can be set: the tables about platforms, and all tables together. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from ouzel.config.tables import (
    AuthSettings,
    DaemonSettings,
    DownloadSettings,
    HookSettings,
    JobSettings,
    LogSettings,
    MetricsSettings,
    ProfileSettings,
    RecordSettings,
    RetentionSettings,
    RootSettings,
    ServerSettings,
    StorageSettings,
    TransferSettings,
    WatchSettings,
    usual_profiles,
)
from ouzel.config.values import Within

CodecName: TypeAlias = Literal["h264", "hevc", "av1", "vp9"]


@dataclass(frozen=True, slots=True)
class PlatformDefaults:
    """For all platforms, their pages and their media."""

    proxy: str = field(default="", repr=False)  # what must not be shown has no repr
    """`http://`, `socks5://` or `socks5h://[user:password@]host:port`; "direct": none, whatever is set for all."""
    user_agent: str = ""
    """Sent instead of that of a browser; one line of ASCII."""
    codecs: tuple[CodecName, ...] = ()
    """Preferred, the first most: "h264", "hevc", "av1", "vp9"."""
    refuse_codecs: tuple[CodecName, ...] = ()
    """Never recorded."""
    cdn: str = ""
    """Preferred among equal streams, as `ouzel resolve` shows it."""


@dataclass(frozen=True, slots=True)
class PlatformSettings(PlatformDefaults):
    """For one platform; `ouzel platforms` has the names."""

    cookies: str = field(default="", repr=False)
    """As a Cookie header; or a path, from the settings file on, of a file of cookies."""
    login: str = ""
    """Name of the account."""
    password: str = field(default="", repr=False)
    """Its password."""
    password_file: str = ""
    """A path, from the settings file on, of a file with the password in its first line."""
    interval: Annotated[timedelta, Within("10s", "1d", or_zero=True)] = timedelta()
    """Between two questions about a channel; "0s": as in `[watch]`."""
    requests_per_minute: Annotated[int, Within(1, 6000, or_zero=True)] = 0
    """To it, for all its channels; 0: as in `[watch]`."""


@dataclass(frozen=True, slots=True)
class PlatformTables:
    """`[platforms]` and what is below it."""

    defaults: PlatformDefaults = PlatformDefaults()
    tables: Mapping[str, PlatformSettings] = field(default_factory=dict[str, PlatformSettings])

    def of(self, name: str) -> PlatformSettings:
        """What is set for this platform; where it does not say, for all."""
        own = self.tables.get(name, PlatformSettings())
        given = {each.name: getattr(self.defaults, each.name) for each in fields(self.defaults)}
        return replace(own, **{key: value for key, value in given.items() if not getattr(own, key)})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set."""

    server: ServerSettings = field(default_factory=ServerSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    """Its folders are never empty where `load` made this."""
    roots: Mapping[str, RootSettings] = field(default_factory=dict[str, RootSettings])
    """`[storage.roots.NAME]`, as they are set; `config.roots` tells all that there are."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    log: LogSettings = field(default_factory=LogSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    record: RecordSettings = field(default_factory=RecordSettings)
    download: DownloadSettings = field(default_factory=DownloadSettings)
    """Its folder is never empty where `load` made this."""
    jobs: JobSettings = field(default_factory=JobSettings)
    transfer: TransferSettings = field(default_factory=TransferSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    hooks: Mapping[str, HookSettings] = field(default_factory=dict[str, HookSettings])
    platforms: PlatformTables = PlatformTables()
    profiles: Mapping[str, ProfileSettings] = field(default_factory=usual_profiles)
    """`[download.profiles.NAME]`."""
    path: Path | None = None
    """The file that it was read from."""

    def path_of(self, text: str) -> Path:
        """A path as it stands in the file: from its folder on; `~` is the user's home."""
        return (self.path.parent if self.path else Path()) / Path(text).expanduser()

    def watch_of(self, platform: str) -> WatchSettings:
        """How often this platform is asked."""
        own = self.platforms.of(platform)
        return replace(
            self.watch,
            interval=own.interval or self.watch.interval,
            requests_per_minute=own.requests_per_minute or self.watch.requests_per_minute,
        )
