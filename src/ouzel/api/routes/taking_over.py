"""Coming from another recorder, and going to another machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from ouzel.api.auth import IsAdmin
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.taking_over import AdoptedOut, AdoptIn, PutBackIn, PutBackOut
from ouzel.api.services import Served
from ouzel.base.errors import BadConfig, Invalid, StorageError
from ouzel.config.exports import parse_export

router = APIRouter(prefix="/api", tags=["taking over"], responses=signed_in_problems())


@router.post("/adoptions", responses=problems(Invalid, StorageError))
async def adopt_recordings(body: AdoptIn, services: Served, who: IsAdmin) -> AdoptedOut:
    """Take what another recorder left in a folder of the daemon's machine into the library. The files stay where they are."""
    from ouzel.services.adoption import plan_adoption  # and with it all formats of other recorders
    from ouzel.services.taking_over import TakingOver

    folder = Path(body.folder)
    if "\0" in body.folder or not folder.is_absolute() or not await anyio.Path(folder).is_dir():
        raise Invalid("there is no such folder on the daemon's machine", pointer="/folder")
    if (folder := Path(await anyio.Path(folder).resolve())) == Path(folder.anchor):
        raise Invalid("the whole machine is no folder of recordings", pointer="/folder")
    plan = await anyio.to_thread.run_sync(partial(plan_adoption, folder, names=body.names))
    roots = {view.name: view.folder for view in await services.storage.views()}
    done = await TakingOver(services.db, services.channels, roots).adopt(plan, by=who.by)
    return AdoptedOut(recordings=done.recordings, known=done.known, left=len(plan.left))


@router.get(
    "/export", response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def export_settings(services: Served, who: IsAdmin) -> PlainTextResponse:  # noqa: ARG001
    """Everything that is set, as one text in TOML that `ouzel import` reads. Without secrets."""
    from ouzel.services.exports import Exports

    return PlainTextResponse(await Exports(services.db).text())


@router.post("/export/rest", responses=problems(Invalid, StorageError))
async def put_back_the_rest(body: PutBackIn, services: Served, who: IsAdmin) -> PutBackOut:
    """Put back the rules, accounts, targets and routes of an export that are not there. Those that are there stay as
    they are; channels and settings are added as all others are.
    """
    from ouzel.services.exports import Exports

    try:
        locked = await Exports(services.db, services.secrets.box).put_back(parse_export(body.text), by=who.by)
    except BadConfig as exc:
        raise Invalid(str(exc), pointer="/text") from None
    return PutBackOut(locked=locked)
