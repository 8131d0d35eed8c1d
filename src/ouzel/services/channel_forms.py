"""What somebody writes of a channel: new ones, edits, and their parts, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ouzel.base.errors import BadOption, ChangedSince
from ouzel.model.channel import Channel, Layer
from ouzel.model.live import Identity
from ouzel.services.addresses import Address, read_address
from ouzel.store.channels import channel_of, row_of

_MOST_LABELS = 50
_MOST_NAME = 200
MOST_ADDRESSES = 20


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What somebody wants to be watched."""

    addresses: tuple[str, ...]
    name: str = ""
    """Empty: as the platform calls it."""
    watch: bool = True
    labels: tuple[str, ...] = ()
    settings: Layer = field(default_factory=dict[str, Any])
    """JSON values."""
    follows: str | None = None
    folder: str = ""
    """Empty: made from the name."""
    aliases: tuple[str, ...] = ()
    """Names that it had elsewhere."""
    identity: str = ""
    """`platform:id`, where it is known already."""


@dataclass(frozen=True, slots=True)
class ChannelEdit:
    """What is to be changed; None: as it was."""

    addresses: tuple[str, ...] | None = None
    name: str | None = None
    """Empty: as the platform calls it."""
    watch: bool | None = None
    labels: tuple[str, ...] | None = None
    settings: Mapping[str, Any] | None = None
    """A merge patch of its layer: null takes a value away."""
    follows: str | None = None
    """The file that is the truth for it from now on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What another channel cannot have."""

    addresses: dict[str, str]
    """And identities, with the id of the channel."""
    folders: set[str]
    """Of all channels, those in the trash too; upper and lower case are equal."""

    def free_folder(self, wanted: str) -> str:
        """Namesakes do not share one."""
        names = (wanted if number == 1 else f"{wanted} ({number})" for number in count(1))
        return next(name for name in names if name.casefold() not in self.folders)

    def add(self, channel: Channel) -> None:
        self.addresses.update(dict.fromkeys((*channel.addresses, str(channel.identity or "")), channel.id))
        self.folders.add(channel.folder.casefold())


def check_revision(present: int, given: int | None) -> None:
    if given is not None and given != present:
        raise ChangedSince(f"it was changed meanwhile: it is at revision {present}", revision=present)


def check_root(given: Mapping[str, Any], roots: Collection[str]) -> None:
    """Whatever else is wrong with these settings is told elsewhere. Raises: BadOption when there is no such storage root."""
    name = given.get("root")
    if isinstance(name, str) and name not in roots:
        raise BadOption(f"there is no storage root {name[:60]!r}; there is {', '.join(roots)}", pointer="/root")


def read_addresses(texts: Sequence[str]) -> list[Address]:
    """Raises: BadUrl, BadOption."""
    if not texts:
        raise BadOption("a channel has one address at least", pointer="/addresses")
    if len(texts) > MOST_ADDRESSES:
        raise BadOption(f"a channel has {MOST_ADDRESSES} addresses at most", pointer="/addresses")
    found = [read_address(text) for text in texts]
    if len({address.url for address in found}) != len(found):
        raise BadOption("the same address is given twice", pointer="/addresses")
    return found


def read_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > _MOST_NAME:
        raise BadOption(f"a name has {_MOST_NAME} characters at most", pointer="/name")
    return name


def read_identity(text: str, platform: str) -> Identity | None:
    """Raises: BadOption."""
    of, _, own = text.partition(":")
    if text and not (of == platform and own):
        raise BadOption(f"an identity is {platform}:ID", pointer="/identity")
    return Identity(of, own) if text else None


def read_labels(words: Iterable[str]) -> tuple[str, ...]:
    labels = sorted({" ".join(word.split()) for word in words} - {""})
    if len(labels) > _MOST_LABELS or any(len(label) > 60 for label in labels):
        raise BadOption(f"labels are {_MOST_LABELS} at most, of 60 characters at most", pointer="/labels")
    return tuple(labels)


def doc_of(channel: Channel) -> dict[str, Any]:
    """As it stands in a revision: without what every edit changes."""
    row = row_of(channel)
    for name in ("revision", "created_at", "updated_at"):
        del row[name]
    return row | {"deleted_at": channel.deleted_at.isoformat() if channel.deleted_at else None}


def from_doc(doc: Mapping[str, Any], present: Channel) -> Channel:
    """The channel as a revision has it. In or out of the trash it is as it was then."""
    deleted_at = present.deleted_at if doc["deleted_at"] else None
    row = {**doc, "deleted_at": deleted_at, "revision": present.revision}
    return channel_of(row | {"created_at": present.created_at, "updated_at": present.updated_at})
