"""Pipelines: what may be set, and what becomes of edits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.component.library import Library, library
from tests.served import open_served

from ouzel.base.errors import BadOption, ChangedSince, Conflict, NotFound, ToolMissing
from ouzel.model.pipelines import (
    RUN_MOVES,
    RunState,
    Step,
    move_run,
    parse_steps,
    short_step,
    steps_schema,
    stored_step,
)
from ouzel.model.recording import FileRole
from ouzel.model.states import RecordingState
from ouzel.model.steps import SHAPES
from ouzel.model.users import Role
from ouzel.services.channels import Channels
from ouzel.services.notices import Notices
from ouzel.services.pipelines import Pipelines, missing
from ouzel.services.secrets import Secrets
from ouzel.services.step_jobs import in_hand
from ouzel.services.steps import Made, MadeFile, StepKind, Steps, StepWork
from ouzel.store.tables import revisions

pytestmark = pytest.mark.anyio
REMUX = {"step": "remux", "format": "mkv"}
WHOLE = {**REMUX, "keep": False}


async def nothing(_work: StepWork) -> Made:
    return Made()


async def lacking(_fields: Any) -> None:
    raise ToolMissing("no ffmpeg here")


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


@pytest.fixture
def pipelines(lib: Library) -> Pipelines:
    steps = Steps([StepKind("remux", nothing), StepKind("clock", nothing, lacking), StepKind("command", nothing)])
    return Pipelines(lib.db, steps.check, downloads="d")


async def last_number(lib: Library) -> int:
    rows = await lib.db.read(select(revisions.c.number).order_by(revisions.c.number))
    return rows[-1]["number"]


def docs(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [each.doc() for each in steps]


# -- steps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "pointer", "words"),
    [
        ([], "/steps", "1 to 20 steps"),
        ([REMUX] * 21, "/steps", "1 to 20 steps"),
        (["remux"], "/steps/0", "an object"),
        ([REMUX, {"step": "dance"}], "/steps/1/step", "there is no step dance; there are remux"),
        ([{"format": "mp4"}], "/steps/0/step", "there is no step None"),
        ([{"step": "remux", "formt": "mp4"}], "/steps/0/formt", "did you mean format?"),
        ([{"step": "remux", "format": "avi"}], "/steps/0/format", "remux: format is mp4, mkv, ts"),
        ([{"step": "remux", "keep": "yes"}], "/steps/0/keep", "true or false"),
        ([{"step": "upload"}], "/steps/0/to", "upload needs to: name of the remote"),
        ([{"step": "upload", "to": " "}], "/steps/0/to", "may not be empty"),
        ([{"step": "upload", "to": "x\ny"}], "/steps/0/to", "a text of one line"),
        ([{"step": "convert", "quality": 64}], "/steps/0/quality", "from 0 to 63"),
        ([{"step": "convert", "quality": True}], "/steps/0/quality", "a number"),
        ([{"step": "convert", "height": 10.5}], "/steps/0/height", "a whole number"),
        ([{"step": "clock", "every_s": float("nan")}], "/steps/0/every_s", "a number"),
    ],
)
def test_a_step_that_makes_no_sense(steps: list[Any], pointer: str, words: str) -> None:
    with pytest.raises(BadOption, match=words.replace("?", r"\?")) as caught:
        parse_steps(steps)
    assert caught.value.context["pointer"] == pointer


def test_what_is_usual_is_filled_in_and_left_out_again() -> None:
    steps = parse_steps([{"step": name, **{key: "x" for key, each in shape.fields.items() if each.usual is None}}
                         for name, shape in SHAPES.items()])  # fmt: skip
    for step in steps:
        assert step.fields.keys() == SHAPES[step.name].fields.keys()
        assert parse_steps([short_step(step)]) == (step,)
        assert stored_step(step.doc()) == step
    assert short_step(parse_steps([REMUX])[0]) == REMUX
    assert stored_step({"step": "of a newer one", "x": 1}) == Step("of a newer one", {"x": 1})
    assert len(steps_schema()["items"]["oneOf"]) == len(SHAPES)


def test_the_next_step_takes_what_the_last_has_made() -> None:
    def made(name: str, *of: str, role: FileRole = FileRole.PRODUCT) -> tuple[str, MadeFile]:
        return name, MadeFile(Path(name), role, of, 1)

    assert in_hand(["a", "b"], []) == ("a", "b")
    assert in_hand(["a", "b"], [made("B", "b"), made("A", "a")]) == ("A", "B")
    assert in_hand(["a", "b"], [made("ab", "a", "b")]) == ("ab",)
    assert in_hand(["a", "b"], [made("p", "a", role=FileRole.POSTER)]) == ("a", "b", "p")


def test_a_run_that_is_done_stays_so() -> None:
    assert move_run(RunState.FAILED, RunState.RUNNING) is RunState.RUNNING
    assert RUN_MOVES.keys() == {*RunState}
    with pytest.raises(ValueError, match="cannot go"):
        move_run(RunState.DONE, RunState.RUNNING)


# -- editing -------------------------------------------------------------------------------------------------------------


async def test_a_pipeline_is_made_changed_and_taken_away(lib: Library, pipelines: Pipelines) -> None:
    made = await pipelines.add("  to  mkv ", [REMUX], by="me")
    assert (made.name, made.revision, docs(made.spec)) == ("to mkv", 1, [WHOLE])
    changed = await pipelines.change("to mkv", [REMUX, REMUX], by="me", revision=1)
    assert changed.revision == 2
    assert await pipelines.all() == [changed] == [await pipelines.get("to mkv")]
    assert (await pipelines.change("to mkv", [WHOLE, REMUX], by="me")).revision == 2
    with pytest.raises(ChangedSince):
        await pipelines.remove("to mkv", by="me", revision=1)
    await pipelines.remove("to mkv", by="me", revision=2)
    assert await pipelines.all() == []
    assert await lib.codes() == ["pipeline.changed"] * 3


async def test_there_is_no_such_pipeline_or_there_is_one(pipelines: Pipelines) -> None:
    await pipelines.add("a", [REMUX], by="me")
    with pytest.raises(Conflict):
        await pipelines.add(" a ", [REMUX], by="me")
    for call in (pipelines.get("b"), pipelines.change("b", [REMUX], by="me"), pipelines.remove("b", by="me")):
        with pytest.raises(NotFound):
            await call
    for name in ("", "x" * 61, "a\x07", "a/b"):
        with pytest.raises(BadOption):
            await pipelines.add(name, [REMUX], by="me")


async def test_what_this_machine_cannot_do_is_refused_when_it_is_set(lib: Library, pipelines: Pipelines) -> None:
    with pytest.raises(BadOption, match="clock: no ffmpeg here") as caught:
        await pipelines.add("a", [REMUX, {"step": "clock"}], by="me")
    assert caught.value.context["pointer"] == "/steps/1"
    with pytest.raises(BadOption, match="this Ouzel cannot do join; it can do remux, clock, command"):
        await pipelines.add("a", [{"step": "join"}], by="me")
    assert await lib.codes() == []


async def test_a_pipeline_that_is_named_stays(lib: Library, pipelines: Pipelines) -> None:
    await pipelines.add("a", [REMUX], by="me")
    await pipelines.add("d", [REMUX], by="me")
    await lib.channel(settings={"pipeline": "a"})
    with pytest.raises(Conflict, match="settings of 1 channels"):
        await pipelines.remove("a", by="me")
    with pytest.raises(Conflict, match="download"):
        await pipelines.remove("d", by="me")
    with pytest.raises(Conflict, match="settings of 1 channels"):
        await pipelines.undo(1, by="me")


async def test_a_channel_names_no_pipeline_that_there_is_not(lib: Library, pipelines: Pipelines) -> None:
    channels = Channels(lib.db, Secrets(b"k" * 32).box)
    await channels.load()
    with pytest.raises(BadOption, match="there is no pipeline gone") as caught:
        await channels.set_layer("global", {"pipeline": "gone"}, by="me")
    assert caught.value.context["pointer"] == "/pipeline"
    await pipelines.add("a", [REMUX], by="me")
    await channels.set_layer("global", {"pipeline": "a"}, by="me")
    await channels.set_layer("global", {"pipeline": None}, by="me")
    await pipelines.remove("a", by="me")


async def test_every_edit_can_be_undone(lib: Library, pipelines: Pipelines) -> None:
    await pipelines.add("a", [REMUX], by="me")
    added = await last_number(lib)
    await pipelines.change("a", [REMUX, REMUX], by="me")
    changed = await last_number(lib)
    with pytest.raises(Conflict):
        await pipelines.undo(added, by="me")
    await pipelines.undo(changed, by="me")
    present = await pipelines.get("a")
    assert (docs(present.spec), present.revision) == ([WHOLE], 3)
    await pipelines.remove("a", by="me")
    await pipelines.undo(await last_number(lib), by="me")
    assert docs((await pipelines.get("a")).spec) == [WHOLE]
    await pipelines.undo(await last_number(lib), by="me")
    assert await pipelines.all() == []
    with pytest.raises(NotFound):
        await pipelines.undo(99, by="me")


async def test_one_that_comes_back_is_missing_no_more(lib: Library, pipelines: Pipelines) -> None:
    notices = Notices(lib.db)
    await pipelines.add("a", [REMUX], by="me")
    await pipelines.remove("a", by="me")
    removed = await last_number(lib)
    await notices.raise_notice(missing("a"), "pipeline.missing", data={"pipeline": "a", "title": "t"})

    await pipelines.undo(removed, by="me")
    assert await notices.not_over() == {}


# -- over the API --------------------------------------------------------------------------------------------------------


async def test_over_the_api(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.signed_in("root") as client:
        made = await client.post("/api/pipelines", json={"name": "p", "steps": [REMUX]})
        assert (made.status_code, made.json()["steps"]) == (201, [WHOLE])
        bad = await client.post("/api/pipelines", json={"name": "q", "steps": [{"step": "remux", "format": "avi"}]})
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/steps/0/format")
        changed = await client.put("/api/pipelines/p", json={"steps": [REMUX, {"step": "thumbnails"}]})
        assert (changed.status_code, changed.json()["revision"]) == (200, 2)
        lib = Library(served.services.db, served.clock)
        await lib.channel()
        await served.services.channels.load()
        recording = await lib.recording(state=RecordingState.DONE)
        place = f"/api/recordings/{recording.id}/runs"
        assert (await client.post(place, json={"pipeline": "p"})).status_code == 422
        await lib.file(recording, "1.ts")
        assert (await client.post(place, json={"pipeline": "gone"})).status_code == 404
        begun = await client.post(place, json={"pipeline": "p"})
        assert begun.status_code == 201
        run = begun.json()
        assert (run["state"], run["at"], run["recording_id"], run["download_id"]) == ("running", 0, recording.id, None)
        assert (await client.post(place, json={"pipeline": "p"})).status_code == 409
        for listed in ("/api/runs", "/api/runs?state=running", place):
            assert (await client.get(listed)).json()["items"] == [run], listed
        assert (await client.get(f"/api/jobs/{run['job_id']}")).json()["args"] == {"run": run["id"], "step": 0}
        cancelled = await client.post(f"/api/runs/{run['id']}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        again = await client.post(f"/api/runs/{run['id']}/retry")
        assert (again.json()["state"], again.json()["job_id"]) == ("running", run["job_id"])
        assert (await client.delete("/api/pipelines/p")).status_code == 204


async def test_who_does_not_see_a_recording_sees_none_of_its_runs(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        await served.add("editor", Role.EDITOR, "games")
        lib = Library(served.services.db, served.clock)
        for name, labels in (("mine", ["games"]), ("other", ["music"])):
            await lib.channel(name, labels=labels)
        await served.services.channels.load()
        await served.services.pipelines.add("p", [REMUX], by="me")
        codes: dict[str, tuple[int, int]] = {}
        async with served.signed_in("editor") as client:
            for name in ("mine", "other"):
                recording = await lib.recording(await lib.broadcast(name), state=RecordingState.DONE)
                await lib.file(recording, f"{name}.ts")
                place = f"/api/recordings/{recording.id}/runs"
                begun = await client.post(place, json={"pipeline": "p"})
                codes[name] = (begun.status_code, (await client.get(place)).status_code)
            refused = await client.post("/api/pipelines", json={"name": "q", "steps": [REMUX]})
    assert codes == {"mine": (201, 200), "other": (404, 404)}
    assert refused.status_code == 403
