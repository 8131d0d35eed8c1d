"""Tools about what is done with recordings and downloads that are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from pydantic import Field

from ouzel.cli.client import Api
from ouzel.cli.mcp_words import Cursor, Doc, Limit, RecordingWord, Tool


def reading(api: Api) -> Sequence[Tool]:
    def list_pipelines() -> Doc:
        """What is done with recordings and downloads that are over: named lists of steps. Channels name one in their settings."""
        return api.get("pipelines")

    def pipeline_steps() -> Doc:
        """What steps there are, and which fields each has, as JSON Schema."""
        return api.get("steps")

    def list_runs(
        recording: RecordingWord | None = None, state: str | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Doc:
        """Passes of pipelines, the newest first: over what, at which step, how it ended. `state` counts without `recording`."""
        if recording is None:
            return api.get("runs", state=state, limit=limit, cursor=cursor)
        found = api.find("recordings", recording, "title")
        return api.get(f"recordings/{found['id']}/runs", limit=limit, cursor=cursor)

    return list_pipelines, pipeline_steps, list_runs


def changing(api: Api) -> Sequence[Tool]:
    def set_pipeline(
        name: str,
        steps: Annotated[list[Doc], Field(min_length=1, description='such as [{"step": "remux", "format": "mp4"}]')],
    ) -> Doc:
        """Make a pipeline, or give one other steps. It is used where the setting `pipeline` names it. For administrators."""
        if any(each["name"] == name for each in api.get("pipelines")["items"]):
            return api.ask("PUT", f"pipelines/{quote(name, safe='')}", body={"steps": steps})
        return api.post("pipelines", {"name": name, "steps": steps})

    def remove_pipeline(name: str) -> Doc:
        """Take a pipeline away that nothing names. For administrators."""
        api.delete(f"pipelines/{quote(name, safe='')}")
        return {"name": name, "removed": True}

    def run_pipeline(pipeline: str, recording: RecordingWord | None = None, download: str | None = None) -> Doc:
        """Run a pipeline now, over a recording or a download that is over."""
        if recording is not None:
            place = f"recordings/{api.find('recordings', recording, 'title')['id']}"
        else:
            place = f"downloads/{api.find('downloads', download or '', 'name', 'title')['id']}"
        return api.post(f"{place}/runs", {"pipeline": pipeline})

    def cancel_run(run: str) -> Doc:
        """Cancel a run; what its steps have made stays."""
        return api.post(f"runs/{api.find('runs', run)['id']}/cancel")

    def retry_run(run: str) -> Doc:
        """Take a run up again at the step at which it failed, or was cancelled."""
        return api.post(f"runs/{api.find('runs', run)['id']}/retry")

    return set_pipeline, remove_pipeline, run_pipeline, cancel_run, retry_run
