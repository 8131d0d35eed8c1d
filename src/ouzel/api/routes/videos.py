"""The library: what can be watched, in one list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ouzel.api.auth import CanEdit, CanRead
from ouzel.api.cursors import Page, Paging
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.videos import MineOut, MinePatch, VideoDetailOut, VideoOut, VideoPatch
from ouzel.api.services import Served, Services
from ouzel.base.errors import BadOption, ChangedSince, Invalid, NotAllowed, NotFound
from ouzel.model.users import Principal, Via
from ouzel.model.video_filters import VideoFilter, parse_filter
from ouzel.model.videos import Sort, Video
from ouzel.store.video_conditions import Viewer
from ouzel.store.videos import sort_key
from ouzel.system.zones import zone_of

router = APIRouter(prefix="/api/videos", tags=["library"], responses=signed_in_problems())
_Filter = Annotated[
    str, Query(max_length=2000, description="docs/reference/filters.md", examples=["gaps:yes site:huya"])
]


@router.get("", responses=problems(Invalid))
async def list_videos(
    services: Served,
    ask: Paging,
    who: CanRead,
    filter: _Filter = "",  # noqa: A002 - as it is called in the address
    sort: Sort = Sort.AT,
    ascending: bool = False,
) -> Page[VideoOut]:
    """What can be watched. Without a filter: what is ready or runs, and is not in the trash; the latest first."""
    which, viewer = read_filter(filter), await viewer_of(services, who)
    found = await services.videos.page(
        which, viewer, sort, ascending=ascending, after=_after(ask, sort), limit=ask.more
    )
    numbers = [each.number for each in found]
    tags = await services.videos.repo.tags_of(numbers)
    mine = await services.videos.watches.of(who.user_id, numbers)
    total = await services.videos.count(which, viewer) if ask.exact else None

    def show(video: Video) -> VideoOut:
        return VideoOut.of(video, tags[video.number], mine.get(video.number))

    return ask.page(found, show, key=lambda each: (sort_key(each, sort), each.number), total=total)


@router.get("/{video_id}", responses=problems(NotFound))
async def show_video(video_id: Id, request: Request, services: Served, who: CanRead) -> VideoDetailOut:
    """Also one in the trash, and one that is not finished."""
    video = await services.videos.get(video_id, await viewer_of(services, who))
    return await _shown(services, who, video, request)


@router.patch("/{video_id}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_video(
    video_id: Id, body: VideoPatch, request: Request, services: Served, who: CanEdit, expected: IfMatch
) -> VideoDetailOut:
    """What it is called, and its tags. Null takes back what people wrote: what was told is valid again."""
    await services.videos.get(video_id, await viewer_of(services, who))
    changed = await services.videos.edit(video_id, body.wanted(), by=who.by, revision=expected)
    return await _shown(services, who, changed, request)


@router.patch("/{video_id}/mine", responses=problems(NotFound))
async def change_mine(video_id: Id, body: MinePatch, services: Served, who: CanRead) -> MineOut:
    """How far the account that asks has watched it, and whether they like it. Nobody else sees it."""
    if who.via is Via.LOCAL:
        raise NotAllowed("the command line of this machine is no account, and watches nothing")
    video = await services.videos.get(video_id, await viewer_of(services, who))
    return MineOut.of(await services.videos.watch(who.user_id, video, **body.changes()))


async def _shown(services: Services, who: Principal, video: Video, request: Request) -> VideoDetailOut:
    show_revision(request, video.revision)
    tags = await services.videos.repo.tags_of([video.number])
    mine = await services.videos.watches.of(who.user_id, [video.number])
    return VideoDetailOut.of(video, tags[video.number], mine.get(video.number))


async def viewer_of(services: Services, who: Principal) -> Viewer:
    return Viewer(await services.labels.visible(who.grants), who.user_id, services.db.clock.now(), zone_of(""))


def read_filter(text: str) -> VideoFilter:
    """Raises: Invalid."""
    try:
        return parse_filter(text)
    except BadOption as exc:
        raise Invalid(str(exc), parameter="filter", position=exc.context.get("position")) from exc


def _after(ask: Paging, sort: Sort) -> tuple[str | int | float, int] | None:
    kind: type[str | int | float]
    kind = {Sort.TITLE: str, Sort.DURATION: float}.get(sort, int)
    values = ask.after_all(kind, int)
    return None if values is None else (values[0], int(values[1]))
