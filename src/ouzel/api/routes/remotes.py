"""Where copies go, and which there are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from ouzel.api.auth import CanRead, IsAdmin, SeesAll, require_visible
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.remotes import (
    CopiesOut,
    CopyOut,
    RemoteIn,
    RemoteOut,
    RemotePatch,
    RemotesOut,
    RemoteTestedOut,
)
from ouzel.api.schemas.telling import KindsOut
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, KeyReused, NotFound, OuzelError
from ouzel.model.remotes import KINDS
from ouzel.store.recordings import RecordingRepo

router = APIRouter(prefix="/api", tags=["remotes"], responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("/remotes")
async def list_remotes(services: Served, who: SeesAll) -> RemotesOut:  # noqa: ARG001
    """Where copies go, in the order of their names. Secrets are hidden."""
    return RemotesOut(items=[RemoteOut.of(each) for each in await services.remotes.all()])


@router.get("/remote-kinds")
async def list_kinds_of_remotes(who: CanRead) -> KindsOut:  # noqa: ARG001
    """The sorts of remotes, and what each has to be told."""
    return KindsOut.of(KINDS)


@router.post("/remotes", status_code=201, response_model=RemoteOut, responses=problems(Conflict, BadOption, KeyReused))
async def add_remote(body: RemoteIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """Only one to which a small file could be written, from which it could be read, and removed."""

    async def make() -> Made:
        return Made(RemoteOut.of(await services.remotes.add(body.name, body.doc(), by=who.by)), "/api/remotes")

    return await once.answer(make)


@router.patch("/remotes/{name}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_remote(
    name: _Name, body: RemotePatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> RemoteOut:
    """Of the settings only those that are named. It is tried before it is accepted."""
    changed = await services.remotes.change(name, body.changes(), by=who.by, revision=expected)
    show_revision(request, changed.revision)
    return RemoteOut.of(changed)


@router.delete("/remotes/{name}", status_code=204, responses=problems(NotFound, ChangedSince, Conflict))
async def remove_remote(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """Not while a pipeline copies to it. What is there stays, and so does what is known of it."""
    await services.remotes.remove(name, by=who.by, revision=expected)


@router.post("/remotes/{name}/test", responses=problems(NotFound))
async def test_remote(name: _Name, services: Served, who: IsAdmin) -> RemoteTestedOut:  # noqa: ARG001
    """Write, read and remove a small file there now, and tell what came of it."""
    try:
        await services.remotes.test(name)
    except NotFound:
        raise
    except OuzelError as exc:
        return RemoteTestedOut(works=False, code=exc.code, why=str(exc))
    return RemoteTestedOut(works=True, code=None, why=None)


@router.get("/recordings/{recording_id}/copies", responses=problems(NotFound))
async def list_copies(recording_id: Id, services: Served, who: CanRead) -> CopiesOut:
    """What is at remotes of a recording, also when the recording is here no more."""
    recording = await RecordingRepo(services.db).get(recording_id)
    copies = await services.remotes.copies.of(recording_id)
    channel = recording.channel_id if recording else next((each.channel_id for each in copies), None)
    if channel is None:
        raise NotFound(f"there is no recording {recording_id}, and no copy of one")
    require_visible(who, await services.labels.of(channel), "recording")
    return CopiesOut(items=[CopyOut.model_validate(each) for each in copies])
