"""What somebody writes of a download: read, held against the rules, and made into what the engine takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from ouzel.base.errors import BadOption
from ouzel.base.ids import new_id
from ouzel.base.urls import parse_url, redact
from ouzel.model.download_tasks import Download, NewDownload
from ouzel.model.downloads import MOST_CONNECTIONS, PROFILES, DownloadState, DownloadWish, Pace
from ouzel.model.naming import safe_name
from ouzel.services.settings import SEALED, SecretBox

FORMATS = ("mp4", "mkv", "ts", "flv", "m4a", "mp3")
_MOST_NAME = 300
_KEY_CHARS = 32
_LISTS = ("audio", "subtitles")


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """What the configuration says of downloads."""

    folder: Path
    folders: tuple[Path, ...] = ()
    """Others that a download may name."""
    pace: Pace = field(default_factory=Pace)
    profile: str = ""
    """The usual one; empty: `pace`."""
    profiles: Mapping[str, Pace] = field(default_factory=lambda: {str(name): pace for name, pace in PROFILES.items()})
    most_connections: int = MOST_CONNECTIONS

    def pace_of(self, profile: str, wish: Mapping[str, Any]) -> Pace:
        """Raises: BadOption."""
        name = profile or self.profile
        if name and name not in self.profiles:
            raise BadOption(
                f"there is no profile {name[:40]!r}; there are {', '.join(self.profiles)}", pointer="/profile"
            )
        pace = self.profiles[name] if name else self.pace
        asked = int(wish.get("connections") or pace.connections)
        return replace(pace, connections=min(asked, self.most_connections), rate_bps=wish.get("rate_bps"))

    def folder_of(self, text: str) -> Path:
        """Where a download may go. Raises: BadOption."""
        if "\0" in text:
            raise BadOption("no folder has such a name", pointer="/folder")
        folder = Path(os.path.normpath(self.folder / text)) if text else self.folder
        real = Path(os.path.realpath(folder))  # a link may lead out
        allowed = (self.folder, *self.folders)
        if not any(real.is_relative_to(os.path.realpath(each)) for each in allowed):
            raise BadOption(
                f"downloads go into {self.folder}, or into what [download] folders names in ouzel.toml; not into {folder}",
                pointer="/folder",
            )
        return folder


def read_new(new: NewDownload, rules: DownloadRules, box: SecretBox, now: datetime) -> Download:
    """The row of a new one; blocking, a moment: links of folders are followed. Raises: BadUrl, SchemeRefused, BadOption."""
    url = new.url.strip()
    parse_url(url)
    folder = rules.folder_of(new.folder)
    name = " ".join(new.name.split())
    if len(name) > _MOST_NAME:
        raise BadOption(f"a name has at most {_MOST_NAME} characters", pointer="/name")
    stem = safe_name(name, fallback="download") if name else ""
    wish = _read_wish(new.wish)
    rules.pace_of(new.profile, wish)
    shown = redact(url)
    return Download(
        id=new_id(now), name=name, address=shown, url=url if shown == url else {SEALED: box.seal(url)},
        target=_target(folder, stem, url, wish), folder=str(folder), stem=stem,
        state=DownloadState.PAUSED if new.paused else DownloadState.PENDING, after=None, prio=new.prio,
        profile=new.profile, wish=wish, key={SEALED: box.seal(_read_key(new.key).hex())} if new.key else None,
        metadata=dict(new.metadata), not_before=None, retries=0, epoch=0, revision=1, title="", pieces=0, pieces_done=0,
        bytes=0, bytes_total=None, media_done_s=0.0, media_s=0.0, gaps=0, path=None, ledger=None, format=None, tracks=(),
        warnings=(), code=None, why=None, created_at=now, started_at=None, completed_at=None,
    )  # fmt: skip


def wish_of(download: Download, rules: DownloadRules, box: SecretBox) -> DownloadWish:
    """As the engine takes it. Raises: SecretUnreadable; BadOption: its profile is not set any more."""
    said: dict[str, Any] = {
        name: tuple(cast("list[str]", value)) if name in _LISTS else value
        for name, value in download.wish.items()
        if name not in {"connections", "rate_bps"}
    }
    return DownloadWish(
        url=url_of(download, box), folder=Path(download.folder), stem=download.stem,
        pace=rules.pace_of(download.profile, download.wish),
        key=bytes.fromhex(_opened(download.key, box)) if download.key else None, task=download.id,
        on_air=download.is_recorded, **said,
    )  # fmt: skip


def url_of(download: Download, box: SecretBox) -> str:
    """With its secrets. Raises: SecretUnreadable."""
    return _opened(download.url, box)


def _opened(stored: Any, box: SecretBox) -> str:
    return box.open(cast("dict[str, str]", stored)[SEALED]) if isinstance(stored, dict) else str(stored)


def _read_wish(given: Mapping[str, Any]) -> dict[str, Any]:
    wish = {name: value for name, value in given.items() if value is not False and value not in (None, "", [], ())}
    wish["quality"] = str(wish.get("quality") or "best")
    format_ = wish.get("format")
    if format_ is not None and format_ not in FORMATS:
        raise BadOption(f"Ouzel makes no .{str(format_)[:10]}, but {', '.join(FORMATS)}", pointer="/format")
    begins, ends = wish.get("from_s", 0.0), wish.get("to_s")
    if begins < 0 or (ends is not None and ends <= begins):
        raise BadOption("what is wanted ends before it begins", pointer="/to_s")
    for name in _LISTS:
        if name in wish:
            wish[name] = [*wish[name]]
    return wish


def _read_key(text: str) -> bytes:
    word = text.strip().lower().removeprefix("0x")
    try:
        key = bytes.fromhex(word)
    except ValueError:
        key = b""
    if len(word) != _KEY_CHARS or len(key) * 2 != _KEY_CHARS:
        raise BadOption(f"a key is {_KEY_CHARS} hexadecimal digits", pointer="/key")
    return key


def _target(folder: Path, stem: str, url: str, wish: Mapping[str, Any]) -> str:
    """The same for two that would write the same file. One without a name takes a free one: only the same again is the same."""
    if stem:
        return f"{folder}/{stem}".casefold()  # some file systems know no letter case
    words = repr((url, sorted(wish.items())))
    return f"{folder}/?{hashlib.blake2b(words.encode(), digest_size=12).hexdigest()}"
