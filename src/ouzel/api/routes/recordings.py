"""What was on air, and what was kept of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ouzel.api.auth import CanEdit, CanRead, require_visible
from ouzel.api.cursors import Page, Paging, Word
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id, Instant
from ouzel.api.schemas.channels import BroadcastOut
from ouzel.api.schemas.recordings import (
    ChapterOut,
    FileOut,
    GapOut,
    RecordingDetailOut,
    RecordingOut,
    RecordingPatch,
    recording_fields,
)
from ouzel.api.services import Served, Services
from ouzel.base.errors import BadOption, ChangedSince, Conflict, Invalid, NotFound
from ouzel.model.broadcast import BroadcastState
from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.model.users import Principal
from ouzel.store.broadcasts import BroadcastFilter, BroadcastRepo
from ouzel.store.recordings import RecordingFilter, RecordingRepo

router = APIRouter(prefix="/api", tags=["recordings"], responses=signed_in_problems())
_Channel = Annotated[Id | None, Query(description="id of the channel")]


@router.get("/broadcasts", responses=problems(Invalid))
async def list_broadcasts(
    services: Served, ask: Paging, who: CanRead, channel: _Channel = None, state: BroadcastState | None = None
) -> Page[BroadcastOut]:
    """Periods on air, whether or not they were recorded; the latest first."""
    which = BroadcastFilter(await _channels(services, who, channel), None if state is None else [state.value])
    repo = BroadcastRepo(services.db)
    found = await repo.filtered(which, before=ask.after(str), limit=ask.more)
    total = await repo.count(which) if ask.exact else None
    return ask.page(found, BroadcastOut.of, key=lambda each: (each.id,), total=total)


@router.get("/broadcasts/{broadcast_id}", responses=problems(NotFound))
async def show_broadcast(broadcast_id: Id, services: Served, who: CanRead) -> BroadcastOut:
    """One period on air."""
    broadcast = await BroadcastRepo(services.db).get(broadcast_id)
    if broadcast is None:
        raise NotFound(f"there is no broadcast {broadcast_id}")
    require_visible(who, await services.labels.of(broadcast.channel_id), "broadcast")
    return BroadcastOut.of(broadcast)


@router.get("/recordings", responses=problems(Invalid))
async def list_recordings(
    services: Served,
    ask: Paging,
    who: CanRead,
    channel: _Channel = None,
    state: RecordingState | None = None,
    has_gaps: bool | None = None,
    pinned: bool | None = None,
    since: Annotated[Instant | None, Query(description="begun then or later")] = None,
    until: Annotated[Instant | None, Query(description="begun before")] = None,
    text: Annotated[str, Query(max_length=200, description="in the title")] = "",
    word: Word = "",
    trash: Annotated[bool, Query(description="those in the trash instead")] = False,
) -> Page[RecordingOut]:
    """The latest first."""
    which = RecordingFilter(
        await _channels(services, who, channel), None if state is None else [state.value], has_gaps, pinned, since, until,
        text, trash, word,
    )  # fmt: skip
    repo = RecordingRepo(services.db)
    found = await repo.page(which, before=ask.after_instant(), limit=ask.more)
    total = await repo.count(which) if ask.exact else None
    running = services.recordings.running
    return ask.page(
        found,
        lambda each: RecordingOut.of(each, running.get(each.channel_id), services.channels.name_of(each.channel_id)),
        key=lambda each: (each.started_at.isoformat(), each.id),
        total=total,
    )


@router.get("/recordings/{recording_id}", responses=problems(NotFound))
async def show_recording(recording_id: Id, request: Request, services: Served, who: CanRead) -> RecordingDetailOut:
    """With its files, its gaps and its chapters."""
    recording, repo = await _seen(services, who, recording_id), RecordingRepo(services.db)
    show_revision(request, recording.revision)
    return RecordingDetailOut(
        **recording_fields(
            recording,
            services.recordings.running.get(recording.channel_id),
            services.channels.name_of(recording.channel_id),
        ),
        files=[FileOut.model_validate(each) for each in (await repo.files([recording.id]))[recording.id]],
        gap_list=[GapOut.model_validate(each) for each in await repo.gaps(recording.id)],
        chapters=[ChapterOut.model_validate(each) for each in await repo.chapters(recording.id)],
    )


@router.get("/recordings/{recording_id}/files/{file_id}", responses=problems(NotFound))
async def show_file(recording_id: Id, file_id: Id, services: Served, who: CanRead) -> FileOut:
    """What is known of a file."""
    recording = await _seen(services, who, recording_id)
    files = (await RecordingRepo(services.db).files([recording.id]))[recording.id]
    found = next((each for each in files if each.id == file_id), None)
    if found is None:
        raise NotFound(f"the recording has no file {file_id}")
    return FileOut.model_validate(found)


@router.patch("/recordings/{recording_id}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_recording(
    recording_id: Id, body: RecordingPatch, request: Request, services: Served, who: CanEdit, expected: IfMatch
) -> RecordingOut:
    """Its title, whether it is pinned, and the rule that deletes it."""
    await _seen(services, who, recording_id)
    changes = body.changes()
    if "policy" in changes:
        changes["policy"] = changes["policy"] or ""
    changed = await services.library.edit(recording_id, by=who.by, revision=expected, **changes)
    show_revision(request, changed.revision)
    running = services.recordings.running.get(changed.channel_id)
    return RecordingOut.of(changed, running, services.channels.name_of(changed.channel_id))


@router.delete("/recordings/{recording_id}", status_code=204, responses=problems(NotFound, ChangedSince, Conflict))
async def remove_recording(recording_id: Id, services: Served, who: CanEdit, expected: IfMatch) -> None:
    """Into the trash. Its files stay, and it can be restored."""
    await _seen(services, who, recording_id)
    await services.library.trash(recording_id, by=who.by, revision=expected)


@router.post("/recordings/{recording_id}/restore", responses=problems(NotFound))
async def restore_recording(recording_id: Id, request: Request, services: Served, who: CanEdit) -> RecordingOut:
    """Out of the trash."""
    await _seen(services, who, recording_id)
    restored = await services.library.restore(recording_id, by=who.by)
    show_revision(request, restored.revision)
    return RecordingOut.of(restored, None, services.channels.name_of(restored.channel_id))


async def _seen(services: Services, who: Principal, recording_id: str) -> Recording:
    """Raises: NotFound."""
    recording = await services.library.get(recording_id)
    require_visible(who, await services.labels.of(recording.channel_id), "recording")
    return recording


async def _channels(services: Services, who: Principal, channel: str | None) -> list[str] | None:
    """Ids that may be shown; None: all."""
    visible = await services.labels.visible(who.grants)
    if channel is None:
        return visible
    return [channel] if visible is None or channel in visible else []
