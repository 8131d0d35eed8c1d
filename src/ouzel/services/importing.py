"""A plan of channels as the list of channels takes it."""

from __future__ import annotations

from typing import cast

from ouzel.config.exports import ExportedChannel
from ouzel.model.channel import Channel, Layer
from ouzel.services.channel_forms import NewChannel
from ouzel.services.import_plan import PlannedChannel


def new_channel(planned: PlannedChannel, *, follows: str | None = None) -> NewChannel:
    """What is to be added. Args: follows: the file or folder that is the truth for it."""
    others = cast("tuple[str, ...]", planned.extra.get("addresses", ()))
    labels = cast("tuple[str, ...]", planned.extra.get("labels", ()))
    folder = planned.extra.get("folder", "") if planned.is_own else ""  # of a camera it is a path of that machine
    return NewChannel(
        (planned.url, *others),
        name=planned.name,
        watch=not planned.paused,
        labels=labels,
        settings=planned.settings,
        follows=follows,
        folder=str(folder),
    )


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
