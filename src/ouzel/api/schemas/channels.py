"""Channels, their settings, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from ouzel.api.schemas.base import In, Label, Out, Patch, left_out
from ouzel.base.urls import redact
from ouzel.model.broadcast import BroadcastState
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import SECRETS, Effective, render_layer
from ouzel.model.standing import UNKNOWN, Standing
from ouzel.model.states import RecordingState
from ouzel.services.broadcasts import Broadcast
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.recordings import Running
from ouzel.services.roster import Listed
from ouzel.services.settings import HIDDEN, shown_layer

Known = Literal["unknown", "live", "offline", "blocked", "needs_login", "region_locked", "broken", "vod", "gone"]
MOST_AT_ONCE = 500
_ADDRESS = "https://live.bilibili.com/21495945"
_SETTINGS: dict[str, Any] = {"quality": ["best"], "split_after_s": 3600}
_LAYER = "by the names of `/api/settings/schema`; what is not here comes from the layers above"


class ChannelIn(In):
    addresses: list[str] = Field(
        min_length=1, max_length=20, examples=[[_ADDRESS]],
        description="a page or the address of a stream, as people copy it; the first is asked first",
    )  # fmt: skip
    name: str = Field("", max_length=200, description="empty: as the platform calls it")
    watch: bool = True
    labels: list[Label] = Field(default_factory=list[str], max_length=50)
    settings: dict[str, Any] = Field(default_factory=dict[str, Any], description=_LAYER, examples=[_SETTINGS])
    folder: str = Field("", max_length=200, description="for its files; empty: made from its name")
    aliases: list[str] = Field(default_factory=list[str], max_length=200, description="names that it had elsewhere")
    identity: str = Field("", max_length=200, description="`platform:id`, where it is known already")

    def wanted(self) -> NewChannel:
        return NewChannel(
            tuple(self.addresses), self.name, self.watch, tuple(self.labels), self.settings, folder=self.folder,
            aliases=tuple(self.aliases), identity=self.identity,
        )  # fmt: skip


class ChannelPatch(Patch):
    addresses: list[str] = left_out(
        list[str], min_length=1, max_length=20, examples=[[_ADDRESS]], description="one as it is shown stays as it is"
    )
    name: str = left_out(str, max_length=200, description="empty: as the platform calls it")
    watch: bool = left_out(bool, description="false: it is not asked about; what is being recorded goes on to its end")
    labels: list[Label] = left_out(list[str], max_length=50)
    settings: dict[str, Any] = left_out(
        dict[str, Any], examples=[{"quality": ["1080p"], "proxy": None}],
        description=f"a merge patch: null takes a value away, and {HIDDEN} leaves a secret as it is",
    )  # fmt: skip

    def edit(self, channel: Channel) -> ChannelEdit:
        told = self.changes()
        addresses: list[str] | None = told.get("addresses")
        labels: list[str] | None = told.get("labels")
        hidden = {redact(address): address for address in channel.addresses}
        return ChannelEdit(
            addresses=None if addresses is None else tuple(hidden.get(each, each) for each in addresses),
            name=told.get("name"),
            watch=told.get("watch"),
            labels=None if labels is None else tuple(labels),
            settings=told.get("settings"),
        )


class RunningOut(Out):
    """A recording that runs, as it is at this moment."""

    id: str
    state: RecordingState
    code: str | None = Field(description="of the trouble that it is in")
    why: str | None
    media_s: float
    missing_s: float
    bytes: int
    received: int = Field(description="bytes that came since its recorder was started")
    gaps: int
    runs: int
    reconnects: int

    @classmethod
    def of(cls, running: Running) -> Self:
        return cls.model_validate({"id": running.rows.recording.id, **running.live()}, extra="ignore")


class ChannelOut(Out):
    id: str
    name: str
    platform: str = Field(description="`direct` for the address of a stream")
    identity: str | None = Field(description="`platform:id`, once the platform has told it")
    addresses: list[str] = Field(description="without passwords and tokens")
    aliases: list[str] = Field(description="names that it had before, the latest last")
    folder: str
    labels: list[str]
    watch: bool
    follows: str | None = Field(description="the file of another recorder that is the truth for it")
    state: Known
    since: datetime | None = Field(description="when it became so; null: it was never asked about")
    code: str | None = Field(description="of the error, where it is one")
    why: str | None
    title: str | None
    category: str | None
    asked_at: datetime | None
    due_at: datetime | None = Field(description="when it is asked next")
    recording: RunningOut | None
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, listed: Listed, running: Running | None) -> Self:
        return cls(**_channel_fields(listed.channel, listed.standing, running))


class EffectiveOut(Out):
    value: Any = Field(description=f"{HIDDEN} in place of a secret")
    source: str = Field(description="`channel`, `platform:NAME`, `global`, `file` (ouzel.toml), `default`")


class StandingOut(Out):
    """What is known of a channel, with the proof."""

    state: Known
    since: datetime
    asked_at: datetime | None
    due_at: datetime | None
    code: str | None
    why: str | None
    errors: int = Field(description="in a row")
    title: str | None
    category: str | None
    cover: str | None
    available_at: datetime | None = Field(description="when it is announced to begin")
    adapter: str | None = Field(description="who told")
    evidence: list[dict[str, Any]] = Field(description="what was asked, and what came; redacted")


class BroadcastOut(Out):
    """A period on air."""

    id: str
    channel_id: str
    state: BroadcastState
    started_at: datetime
    told_start: bool = Field(description="whether the platform says so; else it is when it was seen first")
    seen_at: datetime
    ended_at: datetime | None
    own_name: str | None = Field(description="what the platform calls it")
    title: str
    category: str
    anchor: str
    cover: str
    skipped: bool = Field(description="no more of it is wanted")
    forced: bool = Field(description="it is recorded, whatever filters, hours and mode say")
    why_not: str | None = Field(description="code of the reason why it is not recorded")

    @classmethod
    def of(cls, broadcast: Broadcast) -> Self:
        return cls.model_validate(broadcast)


class ChannelDetailOut(ChannelOut):
    settings: dict[str, Any] = Field(description="its own; secrets hidden")
    effective: dict[str, EffectiveOut] = Field(description="what counts, and where each value comes from")
    standing: StandingOut
    broadcast: BroadcastOut | None = Field(description="the last one")

    @classmethod
    def in_full(
        cls,
        channel: Channel,
        running: Running | None,
        *,
        effective: Effective,
        standing: Standing,
        broadcast: Broadcast | None,
    ) -> Self:
        return cls(
            **_channel_fields(channel, standing, running),
            settings=shown_layer(channel.settings),
            effective=effective_out(effective),
            standing=StandingOut.model_validate(standing),
            broadcast=BroadcastOut.of(broadcast) if broadcast else None,
        )


class BatchIn(In):
    channels: list[ChannelIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class BatchItemOut(Out):
    """What became of one of many."""

    id: str | None = Field(description="of the new channel; null: it was not added")
    name: str | None
    code: str | None = Field(description="of the error")
    detail: str | None
    existing: str | None = Field(description="id of the channel that is the same, where one is")


class BatchOut(Out):
    items: list[BatchItemOut] = Field(description="in the order of the request")
    added: int


class AddressIn(In):
    address: str = Field(min_length=1, max_length=8192, examples=[_ADDRESS])


class PreviewOut(Out):
    """What an address is, before anything is added."""

    address: str = Field(description="tidied up, without passwords and tokens")
    platform: str
    name: str = Field(description="what the address itself calls the channel")
    existing: str | None = Field(description="id of the channel that has this address already")


class HistoryOut(Out):
    """From here on the channel was in this state."""

    number: int
    at: datetime
    state: Known
    code: str | None
    why: str | None
    evidence: list[dict[str, Any]] | None


def effective_out(found: Effective) -> dict[str, EffectiveOut]:
    values = render_layer({each.name: getattr(found.settings, each.name) for each in fields(found.settings)})
    return {
        name: EffectiveOut(value=HIDDEN if name in SECRETS and value else value, source=found.sources[name])
        for name, value in values.items()
    }


def _channel_fields(channel: Channel, standing: Standing | None, running: Running | None) -> Mapping[str, Any]:
    told = {
        name: getattr(standing, name, None)
        for name in ("since", "code", "why", "title", "category", "asked_at", "due_at")
    }
    own = {
        name: getattr(channel, name)
        for name in (
            "id", "name", "platform", "folder", "watch", "follows", "revision", "created_at", "updated_at", "deleted_at",
        )
    }  # fmt: skip
    return {
        **told, **own, "identity": str(channel.identity) if channel.identity else None,
        "addresses": [redact(address) for address in channel.addresses], "aliases": [*channel.aliases],
        "labels": [*channel.labels], "state": standing.state if standing else UNKNOWN,
        "recording": RunningOut.of(running) if running else None,
    }  # fmt: skip
