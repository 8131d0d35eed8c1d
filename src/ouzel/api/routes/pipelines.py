"""What is done with recordings and downloads that are over: pipelines, and their runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ouzel.api.auth import CanEdit, CanRead, EditsAll, IsAdmin, SeesAll, require_visible
from ouzel.api.cursors import Page, PageAsk, Paging, Word
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.pipelines import MoveIn, PipelineIn, PipelineOut, PipelinesOut, RunIn, RunOut, StepsIn
from ouzel.api.services import Served, Services
from ouzel.base.errors import BadOption, ChangedSince, Conflict, Invalid, KeyReused, NotFound
from ouzel.model.pipelines import RunState, steps_schema
from ouzel.model.steps import MOVE
from ouzel.model.users import Principal
from ouzel.services.steps import Item
from ouzel.store.pipelines import RunFilter

router = APIRouter(prefix="/api", tags=["pipelines"], responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("/pipelines")
async def list_pipelines(services: Served, who: CanRead) -> PipelinesOut:  # noqa: ARG001
    """In the order of their names."""
    return PipelinesOut(items=[PipelineOut.of(each) for each in await services.pipelines.all()])


@router.get("/steps")
async def show_steps_schema(who: CanRead) -> dict[str, Any]:  # noqa: ARG001
    """What steps there are, and which fields each has, as JSON Schema."""
    return steps_schema()


@router.post(
    "/pipelines", status_code=201, response_model=PipelineOut, responses=problems(Conflict, BadOption, KeyReused)
)
async def add_pipeline(body: PipelineIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """It does nothing until a channel or a layer names it, or somebody runs it. What this machine cannot do is refused."""

    async def make() -> Made:
        pipeline = await services.pipelines.add(body.name, body.steps, by=who.by)
        return Made(PipelineOut.of(pipeline), "/api/pipelines")

    return await once.answer(make)


@router.put("/pipelines/{name}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_pipeline(
    name: _Name, body: StepsIn, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> PipelineOut:
    """Other steps. Runs that have begun go on as they were."""
    pipeline = await services.pipelines.change(name, body.steps, by=who.by, revision=expected)
    show_revision(request, pipeline.revision)
    return PipelineOut.of(pipeline)


@router.delete("/pipelines/{name}", status_code=204, responses=problems(NotFound, ChangedSince, Conflict))
async def remove_pipeline(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """Not while something names it. Runs that have begun go on."""
    await services.pipelines.remove(name, by=who.by, revision=expected)


# -- runs --------------------------------------------------------------------------------------------------------------


@router.get("/runs", responses=problems(Invalid))
async def list_runs(
    services: Served,
    ask: Paging,
    who: SeesAll,  # noqa: ARG001
    state: RunState | None = None,
    download: Annotated[Id | None, Query(description="id of a download")] = None,
    word: Word = "",
) -> Page[RunOut]:
    """Of all pipelines, the newest first."""
    return await _page(services, ask, RunFilter(download=download, state=state, word=word))


@router.get("/runs/{run_id}", responses=problems(NotFound))
async def show_run(run_id: Id, services: Served, who: SeesAll) -> RunOut:  # noqa: ARG001
    """Where it is; its job tells how far."""
    return RunOut.of(await services.afterwards.get(run_id))


@router.post("/runs/{run_id}/cancel", responses=problems(NotFound, Conflict))
async def cancel_run(run_id: Id, services: Served, who: EditsAll) -> RunOut:  # noqa: ARG001
    """What its steps have made stays."""
    return RunOut.of(await services.afterwards.cancel(run_id))


@router.post("/runs/{run_id}/retry", responses=problems(NotFound, Conflict))
async def retry_run(run_id: Id, services: Served, who: EditsAll) -> RunOut:  # noqa: ARG001
    """From the step at which it failed, or was cancelled."""
    return RunOut.of(await services.afterwards.retry(run_id))


@router.get("/recordings/{recording_id}/runs", responses=problems(NotFound, Invalid))
async def list_runs_of_recording(recording_id: Id, services: Served, ask: Paging, who: CanRead) -> Page[RunOut]:
    """What is done, or was, with a recording; the newest first."""
    await _recording(services, who, recording_id)
    return await _page(services, ask, RunFilter(recording=recording_id))


@router.post(
    "/recordings/{recording_id}/runs", status_code=201, response_model=RunOut,
    responses=problems(NotFound, Conflict, BadOption, KeyReused),
)  # fmt: skip
async def run_over_recording(recording_id: Id, body: RunIn, services: Served, once: Once, who: CanEdit) -> Response:
    """Run a pipeline over it now, whatever its channel says. It is over, and no other run has it."""
    item = await _recording(services, who, recording_id)
    return await once.answer(lambda: _run(services, item, body, who))


@router.post(
    "/recordings/{recording_id}/move", status_code=201, response_model=RunOut,
    responses=problems(NotFound, Conflict, BadOption, KeyReused),
)  # fmt: skip
async def move_recording(recording_id: Id, body: MoveIn, services: Served, once: Once, who: CanEdit) -> Response:
    """All its files to another storage root: a run of one step. It is over, and no other run has it."""
    item = await _recording(services, who, recording_id)

    async def make() -> Made:
        step = await services.pipelines.one_step({"step": MOVE, "to": body.to})
        run = await services.afterwards.step_now(item, step, by=who.by)
        return Made(RunOut.of(run), f"/api/runs/{run.id}")

    return await once.answer(make)


@router.post(
    "/downloads/{download_id}/runs", status_code=201, response_model=RunOut,
    responses=problems(NotFound, Conflict, BadOption, KeyReused),
)  # fmt: skip
async def run_over_download(download_id: Id, body: RunIn, services: Served, once: Once, who: EditsAll) -> Response:
    """The same with a download."""
    item = Item(None, await services.downloads.repo.get(download_id))
    return await once.answer(lambda: _run(services, item, body, who))


async def _run(services: Services, item: Item, body: RunIn, who: Principal) -> Made:
    run = await services.afterwards.run_now(item, body.pipeline, by=who.by)
    return Made(RunOut.of(run), f"/api/runs/{run.id}")


async def _recording(services: Services, who: Principal, recording_id: str) -> Item:
    """Raises: NotFound."""
    recording = await services.library.get(recording_id)
    require_visible(who, await services.labels.of(recording.channel_id), "recording")
    return Item(recording, None)


async def _page(services: Services, ask: PageAsk, which: RunFilter) -> Page[RunOut]:
    found = await services.afterwards.page(which, before=ask.after_instant(), limit=ask.more)
    total = await services.afterwards.count(which) if ask.exact else None
    return ask.page(found, RunOut.of, key=lambda run: (run.created_at.isoformat(), run.id), total=total)
