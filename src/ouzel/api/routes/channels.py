"""What is watched: the list, and what users do to it. What they do to what is on air is in `routes.on_air`."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ouzel.api.auth import CanEdit, CanRead, require_visible
from ouzel.api.cursors import Page, Paging, Word
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.channels import (
    AddressIn,
    BatchIn,
    BatchItemOut,
    BatchOut,
    ChannelDetailOut,
    ChannelIn,
    ChannelOut,
    ChannelPatch,
    HistoryOut,
    Known,
    PreviewOut,
)
from ouzel.api.services import Served, Services
from ouzel.base.errors import (
    BadOption,
    BadUrl,
    ChangedSince,
    Conflict,
    Invalid,
    KeyReused,
    NotAllowed,
    NotFound,
    OuzelError,
)
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import NAMES, Mode
from ouzel.model.users import Principal
from ouzel.services.addresses import read_address
from ouzel.services.roster import ChannelFilter, Listed
from ouzel.store.standings import StandingRepo

router = APIRouter(prefix="/api/channels", tags=["channels"], responses=signed_in_problems())
_Word = Annotated[str | None, Query(max_length=64)]


@router.get("", responses=problems(Invalid))
async def list_channels(
    services: Served,
    ask: Paging,
    who: CanRead,
    platform: _Word = None,
    label: _Word = None,
    state: Known | None = None,
    watch: bool | None = None,
    mode: Mode | None = None,
    text: Annotated[str, Query(max_length=200, description="in a name, a former one, or an address")] = "",
    word: Word = "",
) -> Page[ChannelOut]:
    """In the order in which they were added."""
    which = ChannelFilter(who.grants, platform, label, state, watch, mode, text, word=word)
    return await _page(services, ask, which)


@router.get("/trash", responses=problems(Invalid))
async def list_removed_channels(services: Served, ask: Paging, who: CanRead, word: Word = "") -> Page[ChannelOut]:
    """What was taken away, and can be brought back."""
    return await _page(services, ask, ChannelFilter(who.grants, deleted=True, word=word))


async def _page(services: Services, ask: Paging, which: ChannelFilter) -> Page[ChannelOut]:
    found = await services.roster.page(which, after=ask.after(str), limit=ask.more)
    total = await services.roster.count(which) if ask.exact else None
    running = services.recordings.running
    return ask.page(
        found,
        lambda each: ChannelOut.of(each, running.get(each.channel.id)),
        key=lambda each: (each.channel.id,),
        total=total,
    )


@router.post("", status_code=201, response_model=ChannelOut, responses=problems(Conflict, BadUrl, KeyReused))
async def add_channel(body: ChannelIn, services: Served, once: Once, who: CanEdit) -> Response:
    """Watch a page of a platform, or a permanent address."""

    async def make() -> Made:
        _require_grant(who, body.labels)
        with _told(services, who):
            channel = await services.channels.add(body.wanted(), by=who.by)
        return Made(ChannelOut.of(Listed(channel, None), None), f"/api/channels/{channel.id}")

    return await once.answer(make)


@router.post("/batch", response_model=BatchOut, responses=problems(Conflict, Invalid, KeyReused))
async def add_channels(body: BatchIn, services: Served, once: Once, who: CanEdit) -> Response:
    """Many at once. What is wrong with one does not keep the others out; all that were added are undone together."""

    async def make() -> Made:
        for each in body.channels:
            _require_grant(who, each.labels)
        done = await services.channels.add_many([each.wanted() for each in body.channels], by=who.by)
        items = [_item(services, who, each) for each in done]
        shown = BatchOut(items=items, added=sum(each.id is not None for each in items))
        return Made(shown, "/api/channels", status=200)

    return await once.answer(make)


def _item(services: Services, who: Principal, done: Channel | OuzelError) -> BatchItemOut:
    if isinstance(done, Channel):
        return BatchItemOut(id=done.id, name=done.name, code=None, detail=None, existing=None)
    _hide_existing(services, who, done)
    existing = done.context.get("existing")
    return BatchItemOut(
        id=None, name=None, code=done.code, detail=done.message, existing=str(existing) if existing else None
    )


@router.post("/preview", responses=problems(BadUrl))
async def preview_channel(body: AddressIn, services: Served, who: CanEdit) -> PreviewOut:
    """What an address is, before it is added. Nothing is asked of anybody."""
    address = read_address(body.address)
    known = (channel for channel in services.channels.all() if address.url in channel.addresses)
    existing = next((channel.id for channel in known if who.sees(channel.labels)), None)
    return PreviewOut(address=address.shown, platform=address.platform, name=address.name, existing=existing)


@router.get("/{channel_id:ouzel_id}", responses=problems(NotFound))
async def show_channel(channel_id: Id, request: Request, services: Served, who: CanRead) -> ChannelDetailOut:
    """With all that counts for it, and where each value comes from."""
    return await _detail(request, services, seen_channel(services, who, channel_id))


@router.patch("/{channel_id:ouzel_id}", responses=problems(NotFound, Conflict, ChangedSince, BadUrl))
async def change_channel(
    channel_id: Id, body: ChannelPatch, request: Request, services: Served, who: CanEdit, expected: IfMatch
) -> ChannelDetailOut:
    """Name, addresses, labels, settings, and whether it is watched."""
    before = seen_channel(services, who, channel_id)
    edit = body.edit(before)
    if edit.labels is not None:
        _require_grant(who, edit.labels)
    with _told(services, who):
        channel = await services.channels.edit(channel_id, edit, by=who.by, revision=expected)
    return await _detail(request, services, channel)


@router.delete("/{channel_id:ouzel_id}", status_code=204, responses=problems(NotFound, ChangedSince))
async def remove_channel(channel_id: Id, services: Served, who: CanEdit, expected: IfMatch) -> None:
    """Into the trash. What is being recorded is closed; recordings stay."""
    seen_channel(services, who, channel_id)
    await services.channels.remove(channel_id, by=who.by, revision=expected)


@router.post("/{channel_id}/restore", responses=problems(NotFound, Conflict))
async def restore_channel(channel_id: Id, request: Request, services: Served, who: CanEdit) -> ChannelDetailOut:
    """Out of the trash."""
    require_visible(who, await services.labels.of(channel_id))
    with _told(services, who):
        channel = await services.channels.restore(channel_id, by=who.by)
    return await _detail(request, services, channel)


@router.get("/{channel_id}/history", responses=problems(NotFound, Invalid))
async def list_standings(channel_id: Id, services: Served, ask: Paging, who: CanRead) -> Page[HistoryOut]:
    """The states that it was in, the latest first."""
    channel = seen_channel(services, who, channel_id)
    standings = StandingRepo(services.db)
    found = await standings.history(channel.id, before=ask.after(int), limit=ask.more)
    total = await standings.count_history(channel.id) if ask.exact else None
    return ask.page(
        found, lambda row: HistoryOut.model_validate(dict(row)), key=lambda row: (row["number"],), total=total
    )


async def _detail(request: Request, services: Services, channel: Channel) -> ChannelDetailOut:
    show_revision(request, channel.revision)
    return ChannelDetailOut.in_full(
        channel,
        services.recordings.running.get(channel.id),
        effective=services.channels.effective(channel),
        standing=await services.roster.standing(channel),
        broadcast=await services.broadcasts.last(channel.id),
    )


def seen_channel(services: Services, who: Principal, channel_id: str) -> Channel:
    """Raises: NotFound."""
    channel = services.channels.get(channel_id)
    require_visible(who, channel.labels)
    return channel


def _require_grant(who: Principal, labels: Collection[str]) -> None:
    """Nobody makes a channel that they could not see. Raises: NotAllowed."""
    if not who.sees(labels):
        needed = " and one of ".join(", ".join(sorted(grant)) for grant in who.grants)
        raise NotAllowed(f"this account or key is for channels with one of these labels: {needed}")


@contextmanager
def _told(services: Services, who: Principal) -> Generator[None]:
    """What is wrong with settings points into the body, and what stands in the way is named to who may see it."""
    try:
        yield
    except BadOption as exc:
        pointer = str(exc.context.get("pointer", ""))
        if pointer.split("/")[1:2] and pointer.split("/")[1] in NAMES:
            exc.context["pointer"] = f"/settings{pointer}"
        raise
    except Conflict as exc:
        _hide_existing(services, who, exc)
        raise


def _hide_existing(services: Services, who: Principal, exc: OuzelError) -> None:
    existing = str(exc.context.get("existing", ""))
    if existing and not any(each.id == existing and who.sees(each.labels) for each in services.channels.all()):
        del exc.context["existing"]
