"""A plan of channels and downloads as their lists take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ouzel.config.exports import ExportedChannel
from ouzel.config.importers.result import Value
from ouzel.model.channel import Channel, Layer
from ouzel.model.download_tasks import NewDownload
from ouzel.services.channel_forms import NewChannel
from ouzel.services.import_plan import PlannedChannel, PlannedDownload


def new_channel(planned: PlannedChannel, *, follows: str | None = None) -> NewChannel:
    """What is to be added. Args: follows: the file or folder that is the truth for it."""
    others = cast("tuple[str, ...]", planned.extra.get("addresses", ()))
    labels = cast("tuple[str, ...]", planned.extra.get("labels", ()))
    own: Mapping[str, Value] = (
        planned.extra if planned.is_own else {}
    )  # the folder of a camera is a path of that machine
    return NewChannel(
        (planned.url, *others),
        name=planned.name,
        watch=not planned.paused,
        labels=labels,
        settings=planned.settings,
        follows=follows,
        folder=str(own.get("folder", "")),
        aliases=cast("tuple[str, ...]", own.get("aliases", ())),
        identity=str(own.get("identity", "")),
    )


def new_download(planned: PlannedDownload) -> NewDownload:
    """What is to be fetched."""
    of = planned.of
    wish = {"quality": of.quality} if of.quality else {}
    return NewDownload(of.url, of.name, str(of.extra.get("folder", "")), str(of.extra.get("profile", "")), wish)


def exported(channel: Channel, settings: Layer) -> ExportedChannel:
    """A channel as it is written into an export. Args: settings: its layer, with what is encrypted in it opened."""
    return ExportedChannel(
        channel.addresses,
        name=channel.name if channel.named_by_user else "",
        watch=channel.watch,
        labels=channel.labels,
        folder=channel.folder,
        aliases=channel.aliases,
        identity=str(channel.identity or ""),
        settings=settings,
    )
