"""What users do to what a channel has on air."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api.auth import CanEdit
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.routes.channels import seen_channel
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.channels import BroadcastOut
from ouzel.api.services import Served
from ouzel.base.errors import Blocked, NotFound, NotOnAir, OuzelError
from ouzel.model.live import Live

router = APIRouter(prefix="/api/channels", tags=["channels"], responses=signed_in_problems())


@router.post("/{channel_id}/check", status_code=202, responses=problems(NotFound))
async def check_channel(channel_id: Id, services: Served, who: CanEdit) -> None:
    """Ask the platform about it soon, before its turn. What it says comes as the event `channel.standing`, if it is news."""
    services.watching.nudge(seen_channel(services, who, channel_id).id)


@router.post("/{channel_id}/record", status_code=202, responses=problems(NotFound, NotOnAir, Blocked))
async def record_channel(channel_id: Id, services: Served, who: CanEdit) -> BroadcastOut:
    """Record what is on air now, whatever mode, hours and filters say. Of a channel that is watched, the platform is asked
    first when nothing is known to be on air.
    """
    channel = seen_channel(services, who, channel_id)
    on_air = await services.broadcasts.record_now(channel_id)
    if on_air is None and channel.watch:
        told = (await services.watching.ask(channel)).outcome
        if isinstance(told, OuzelError):
            raise told
        if isinstance(told, Live):
            on_air = await services.broadcasts.record_now(channel_id)
    if on_air is None:
        raise NotOnAir(f"{channel.name} is not on air" if channel.watch else f"{channel.name} is not watched")
    return BroadcastOut.of(on_air.broadcast)


@router.post("/{channel_id}/stop", status_code=202, responses=problems(NotFound))
async def stop_channel(channel_id: Id, services: Served, who: CanEdit) -> BroadcastOut:
    """No more of what is on air. The next broadcast is recorded as always."""
    seen_channel(services, who, channel_id)
    return BroadcastOut.of((await services.broadcasts.stop_this(channel_id)).broadcast)


@router.post("/{channel_id}/split", status_code=202, responses=problems(NotFound))
async def split_channel(channel_id: Id, services: Served, who: CanEdit) -> None:
    """Go on in a new file at the next edge. Nothing is lost between them."""
    seen_channel(services, who, channel_id)
    await services.recordings.split(channel_id)
