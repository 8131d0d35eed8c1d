"""Where copies go: a bucket that speaks S3, or a remote of rclone. And what is known of a copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Self, cast

from ouzel.base.errors import BadOption
from ouzel.model.naming import CHANNEL_FIELDS, check_template
from ouzel.model.targets import HIDDEN, Kind, Setting, check_form, setting

MOST_KEY_BYTES = 1024
"""Of S3; what rclone reaches takes as much or less."""
VERIFY = ("digest", "size", "read")
_VERIFY = setting("verify", Kind.TEXT, *VERIFY)
_FOLDER = setting("folder")
_RCLONE_NAME = re.compile(r"[\w.+@-][\w.+@ -]*")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
KINDS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        "s3": (
            setting("bucket!"), setting("endpoint", Kind.ADDRESS), setting("region"), setting("access_key!"),
            setting("secret_key!*"), _FOLDER, setting("virtual_host", Kind.YES), _VERIFY, setting("proxy*"),
        ),
        "rclone": (setting("remote!"), _FOLDER, _VERIFY),
    }
)  # fmt: skip
"""Sorts of remotes, and what each is told by."""


@dataclass(frozen=True, slots=True)
class Remote:
    """How one is reached."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """JSON values by the names of `KINDS`. In the database secrets are sealed."""

    @classmethod
    def parse(cls, doc: Mapping[str, Any]) -> Self:
        """Without looking at `settings`. Raises: BadOption, whose context has `pointer`."""
        unknown = [name for name in doc if name not in cls.__slots__]
        if unknown:
            raise BadOption(f"a remote has no {unknown[0][:40]}; it has {', '.join(cls.__slots__)}", pointer="")
        kind, settings = str(doc.get("kind", "")), doc.get("settings", {})
        if kind not in KINDS:
            near = get_close_matches(kind, KINDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(KINDS)}"
            raise BadOption(f"there is no sort of remote {kind[:40]!r}{hint}", pointer="/kind")
        if not isinstance(settings, Mapping):
            raise BadOption("settings of a remote are a table", pointer="/settings")
        return cls(kind, dict(cast("Mapping[str, Any]", settings)))

    def doc(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {"kind": self.kind, "settings": dict(self.settings)}

    def shown(self) -> dict[str, Any]:
        """The same without its secrets."""
        secret = secrets_of(self.kind)
        return self.doc() | {"settings": {k: HIDDEN if k in secret and v else v for k, v in self.settings.items()}}


@dataclass(frozen=True, slots=True)
class Copy:
    """What was verified at a remote. It outlives the file that it is of, and the row of its recording."""

    id: str
    remote: str
    """Its name."""
    key: str
    """Its path there, with the folder of the remote."""
    recording_id: str
    """Empty: it is a download's."""
    download_id: str
    channel_id: str
    """Of the recording: who may see that may see this. Empty: a download's."""
    file_id: str | None
    """Of the file that it is of, or that this belongs to; None: that is here no more."""
    path: str
    """Of the file, from its storage root on."""
    bytes: int
    etag: str | None
    """As the remote tells it; None: it tells none."""
    digest: str | None
    """`md5:…` and the like, of the content, as both sides say; None: only the size was compared."""
    copied_at: datetime
    verified_at: datetime
    """When the remote told this last."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a remote."""

    bytes: int
    etag: str | None = None
    digest: str | None = None
    """`md5:…` of the content; None: not told."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A copy that is there, and was verified."""

    found: Found
    was_there: bool
    """It was taken as it was: nothing was sent."""


def secrets_of(kind: str) -> frozenset[str]:
    """Names of the fields that are never shown."""
    return frozenset(each.name for each in KINDS.get(kind, ()) if each.secret)


def check_settings(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """In the clear; without those that are empty. Raises: BadOption, whose context has `pointer`."""
    found = check_form(f"a remote of {kind}", KINDS[kind], given)
    folder = str(found.get("folder", "")).strip("/")
    if any(part in {"", ".", ".."} for part in folder.split("/")[: -1 if not folder else None]):
        raise BadOption("folder is a path without empty parts, . and ..", pointer="/settings/folder")
    if kind == "rclone" and not _RCLONE_NAME.fullmatch(name := str(found["remote"]).removesuffix(":")):
        raise BadOption(
            f"{name[:40]!r} is no name of a remote: `rclone listremotes` tells them", pointer="/settings/remote"
        )
    if kind == "rclone":
        found["remote"] = str(found["remote"]).removesuffix(":")
    elif not _BUCKET.fullmatch(str(found["bucket"])):
        raise BadOption("bucket is 3 to 63 letters, digits, dots, - and _", pointer="/settings/bucket")
    return found | ({"folder": folder} if folder else {})


def check_folder(template: str) -> None:
    """Of the step `upload`; empty: as here. Raises: BadOption."""
    if template:
        check_template(template, CHANNEL_FIELDS)


def key_of(settings: Mapping[str, Any], path: str) -> str:
    """Where a file goes, with the folder of the remote. Raises: BadOption when that is too long."""
    folder = settings.get("folder")
    key = f"{folder}/{path}" if folder else path
    if len(key.encode()) > MOST_KEY_BYTES:
        raise BadOption(f"the path at the remote has more than {MOST_KEY_BYTES} bytes: {key[:60]}…")
    return key
