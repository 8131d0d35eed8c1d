"""What was read out of a foreign file, line by line. Nothing in it is dropped silently: what is not taken has a notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal[
    "twitch_json",
    "live_ini",
    "live_rooms",
    "live_env",
    "cameras_yaml",
    "downloader_yaml",
    "download_tasks",
    "downloader_env",
    "relay_env",
    "relay_channels",
    "streamcap",
    "ouzel",
]
Mode: TypeAlias = Literal["record", "notify", "manual"]
"""What is done when a channel goes live: record it, only tell, or nothing until somebody asks."""
Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None
"""Of a setting; None: it stands in the file without a value."""

NoticeCode: TypeAlias = Literal[
    # about a file
    "encoding",  # it is not UTF-8
    "backup_used",  # the list is empty, and the channels are those of its newest backup
    "backup_has_more",  # a backup has many more channels than the list
    # about the line of a channel
    "names_several",  # the last was kept
    "name_cut_address",  # a name stood in the midst of an address, which was joined again
    "words_around_address",
    "comma_missing",  # between the address and the name
    "fields_many",  # more than quality, address, name
    "channels_joined",  # two lines had become one
    "quality_unknown",
    "paused_unknown_site",  # the recorder that wrote this pauses what it does not know
    "paused_short_link",  # … and short links that have died
    "address_changed",  # written as the platform knows it
    "channel_repeated",
    # about a setting
    "key_repeated",  # the last counts
    "key_unknown",
    "value_changed",
    "cookie_shared",  # one that came with the program, and is over
    "taken_together",  # counts with other keys
    "not_needed",  # Ouzel has nothing that it could switch
    "elsewhere",  # is set in another place
    "in_file",  # is set in ouzel.toml, and how
    "hook_in_file",  # commands stand only in ouzel.toml
    "into_pipeline",  # what is done with what is over
    "kept_for_later",  # a target of a later version
    "proxy_word_unknown",
    "proxy_missing",  # it is switched on, and has no address
]
ProblemCode: TypeAlias = Literal[
    "file_unknown",  # none of the formats
    "file_unreadable",
    "file_gone",
    "file_empty",
    "file_too_large",
    "text_broken",  # no encoding fits
    "syntax",
    "bad_value",  # one that the setting cannot have
    "wrong_kind",  # a list where a text should be, a word where a number should be
    "line_too_long",
    "no_address",
    "bad_address",
    "unknown_site",
    "no_key",  # a line of settings without `=`
]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something was changed, repaired, or not taken. `fields` fill in the sentence, and hold no secret."""

    line: int
    """From 1; 0: about the whole file."""
    code: NoticeCode
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Problem:
    """Something could not be taken, and somebody has to look."""

    line: int
    code: ProblemCode
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ImportedChannel:
    """Something to watch, as the file says."""

    url: str = field(repr=False)
    """With a scheme; may hold a password (cameras)."""
    line: int
    name: str = ""
    """The user's own, or what was written back; empty: what the platform says."""
    quality: str = ""
    """In Ouzel's words; empty: as is set for all."""
    paused: bool = False
    mode: Mode = "record"
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    """What else the file says of it, by Ouzel's names: `folder`, `description`, `logo`, `record.format` …"""
    layer: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Settings as an export has them: JSON values."""


@dataclass(frozen=True, slots=True)
class ImportedSetting:
    """A key of the file. Durations are seconds, sizes bytes, as the end of `target` says."""

    key: str
    """As the file has it."""
    value: Value = field(repr=False)
    line: int
    target: str | None
    """What it becomes: `record.split_after_s`, `platforms.douyin.cookies`; None: nothing, and a notice says why."""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ImportedDownload:
    """Something to be fetched once."""

    url: str = field(repr=False)
    line: int
    name: str = ""
    quality: str = ""
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])


@dataclass(frozen=True, slots=True)
class Imported:
    """One file."""

    format: Format | None
    channels: tuple[ImportedChannel, ...] = ()
    settings: tuple[ImportedSetting, ...] = ()
    downloads: tuple[ImportedDownload, ...] = ()
    notices: tuple[Notice, ...] = ()
    problems: tuple[Problem, ...] = ()
    quality: str = ""
    """What channels without one of their own are recorded in there."""
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    """Settings of many channels as an export has them: by scope, JSON values."""
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Rules that delete, by name, as an export has them: what channels of the file name as their `policy`."""
    comments: tuple[int, ...] = ()
    """Lines that are for people; blank ones are not counted."""

    @property
    def is_readable(self) -> bool:
        """Whether it could be read as a whole; a file that is being written often cannot."""
        return not any(each.line == 0 or each.code == "syntax" for each in self.problems)
