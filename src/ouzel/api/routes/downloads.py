"""What is fetched once: the list, and what users do to it.

Downloads belong to no channel: whoever may see only the channels with certain labels sees none of them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ouzel.api.auth import EditsAll, SeesAll
from ouzel.api.cursors import Page, Paging, Word
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.downloads import (
    DownloadIn,
    DownloadItemOut,
    DownloadOut,
    DownloadPatch,
    DownloadsIn,
    DownloadsOut,
)
from ouzel.api.services import Served, Services
from ouzel.base.errors import BadOption, BadUrl, ChangedSince, Conflict, Invalid, KeyReused, NotFound, OuzelError
from ouzel.model.download_tasks import Download
from ouzel.model.downloads import DownloadState

router = APIRouter(prefix="/api/downloads", tags=["downloads"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_downloads(
    services: Served,
    ask: Paging,
    who: SeesAll,  # noqa: ARG001
    state: DownloadState | None = None,
    text: Annotated[str, Query(max_length=200, description="in a name, a title, or an address")] = "",
    word: Word = "",
) -> Page[DownloadOut]:
    """The newest first."""
    repo, states = services.downloads.repo, frozenset([state] if state else ())
    found = await repo.page(states=states, text=text, word=word, before=ask.after_instant(), limit=ask.more)
    total = await repo.count(states=states, text=text, word=word) if ask.exact else None
    return ask.page(
        found,
        lambda each: _shown(services, each),
        key=lambda each: (each.created_at.isoformat(), each.id),
        total=total,
    )


@router.post(
    "", status_code=201, response_model=DownloadOut, responses=problems(Conflict, BadUrl, BadOption, KeyReused)
)
async def add_download(body: DownloadIn, services: Served, once: Once, who: EditsAll) -> Response:  # noqa: ARG001
    """Fetch what stands at an address: a playlist, a file, a video's page."""

    async def make() -> Made:
        download = await services.downloads.add(body.wanted())
        return Made(_shown(services, download), f"/api/downloads/{download.id}")

    return await once.answer(make)


@router.post("/batch", response_model=DownloadsOut, responses=problems(Conflict, Invalid, KeyReused))
async def add_downloads(body: DownloadsIn, services: Served, once: Once, who: EditsAll) -> Response:  # noqa: ARG001
    """Many at once. What is wrong with one keeps no other out."""

    async def make() -> Made:
        done = await services.downloads.add_many([each.wanted() for each in body.downloads])
        items = [_item(each) for each in done]
        return Made(
            DownloadsOut(items=items, added=sum(each.id is not None for each in items)), "/api/downloads", status=200
        )

    return await once.answer(make)


@router.get("/{download_id:ouzel_id}", responses=problems(NotFound))
async def show_download(
    download_id: Id,
    request: Request,
    services: Served,
    who: SeesAll,  # noqa: ARG001
) -> DownloadOut:
    """What it is, and how far."""
    return _told(request, services, await services.downloads.repo.get(download_id))


@router.patch("/{download_id:ouzel_id}", responses=problems(NotFound, ChangedSince, Conflict))
async def change_download(
    download_id: Id,
    body: DownloadPatch,
    request: Request,
    services: Served,
    who: EditsAll,  # noqa: ARG001
    expected: IfMatch,
) -> DownloadOut:
    """Its name, your own data, and whom it goes before; what runs goes on."""
    changed = await services.downloads.edit(download_id, revision=expected, **body.changes())
    return _told(request, services, changed)


@router.delete("/{download_id:ouzel_id}", status_code=204, responses=problems(NotFound, ChangedSince))
async def remove_download(
    download_id: Id,
    services: Served,
    who: EditsAll,  # noqa: ARG001
    expected: IfMatch,
    files: Annotated[bool, Query(description="what it has written, too")] = False,
) -> None:
    """One that runs is ended first. Its files stay, unless `files` says otherwise."""
    await services.downloads.remove(download_id, with_files=files, revision=expected)


@router.post("/{download_id}/cancel", responses=problems(NotFound, Conflict))
async def cancel_download(download_id: Id, services: Served, who: EditsAll) -> DownloadOut:  # noqa: ARG001
    """At once when it does not run; else as soon as it has heard. What is there stays."""
    return _shown(services, await services.downloads.cancel(download_id))


@router.post("/{download_id}/retry", responses=problems(NotFound, Conflict))
async def retry_download(download_id: Id, services: Served, who: EditsAll) -> DownloadOut:  # noqa: ARG001
    """After it failed or was cancelled, or before its time: what is there is not fetched again."""
    return _shown(services, await services.downloads.retry(download_id))


@router.post("/{download_id}/pause", responses=problems(NotFound, Conflict))
async def pause_download(download_id: Id, services: Served, who: EditsAll) -> DownloadOut:  # noqa: ARG001
    """Until somebody resumes it."""
    return _shown(services, await services.downloads.pause(download_id))


@router.post("/{download_id}/resume", responses=problems(NotFound, Conflict))
async def resume_download(download_id: Id, services: Served, who: EditsAll) -> DownloadOut:  # noqa: ARG001
    """It goes on where it is."""
    return _shown(services, await services.downloads.resume(download_id))


def _shown(services: Services, download: Download) -> DownloadOut:
    return DownloadOut.of(download, services.downloads.running.get(download.id))


def _told(request: Request, services: Services, download: Download) -> DownloadOut:
    show_revision(request, download.revision)
    return _shown(services, download)


def _item(done: Download | OuzelError) -> DownloadItemOut:
    if isinstance(done, Download):
        return DownloadItemOut(id=done.id, code=None, detail=None, existing=None)
    existing = done.context.get("existing")
    return DownloadItemOut(id=None, code=done.code, detail=done.message, existing=str(existing) if existing else None)
