"""What can be set, a class for each kind of table. Plain values: that nothing is set costs no import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

CodecName: TypeAlias = Literal["h264", "hevc", "av1", "vp9"]


@dataclass(frozen=True, slots=True)
class PlatformDefaults:
    """`[platforms]`: for all platforms."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "strict": False}

    proxy: str = field(default="", repr=False)
    """`http://`, `socks5://` or `socks5h://`; `direct`: none, whatever is set for all."""
    user_agent: str = ""
    codecs: tuple[CodecName, ...] = ()
    """Preferred, the first most."""
    refuse_codecs: tuple[CodecName, ...] = ()
    """Never recorded."""
    cdn: str = ""
    """Preferred among equal streams, as `ouzel resolve` shows it."""


@dataclass(frozen=True, slots=True)
class PlatformSettings(PlatformDefaults):
    """`[platforms.NAME]`: for one."""

    cookies: str = field(default="", repr=False)
    """As a Cookie header; or a path, from the settings file on, of a file of cookies."""
    login: str = ""
    """Name of the account."""
    password: str = field(default="", repr=False)
    password_file: str = ""
    """A path, from the settings file on, of a file with the password in its first line."""


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

    platforms: PlatformTables = PlatformTables()
    path: Path | None = None
    """The file that it was read from."""

    def path_of(self, text: str) -> Path:
        """A path as it stands in the file: from its folder on; `~` is the user's home."""
        return (self.path.parent if self.path else Path()) / Path(text).expanduser()
