"""The tools that `ouzel mcp` offers: requests to the API, with words for agents. Blocking: the SDK runs each in a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from ouzel import __version__
from ouzel.base.errors import OuzelError
from ouzel.cli import mcp_pipelines, mcp_remotes, mcp_telling
from ouzel.cli.client import Api
from ouzel.cli.mcp_words import ChannelWord, Cursor, Doc, Layer, Limit, RecordingWord, Scope, Tool, Window

P = ParamSpec("P")
_DELETES = ("remove_", "run_retention", "empty_trash")
_TROUBLE = ("blocked", "needs_login", "region_locked", "broken", "gone")
_INSTRUCTIONS = """\
Ouzel watches channels of live video platforms and records what goes live. A channel has settings in layers (its own, those of its
platform, global ones); `show_channel` tells each effective value and its source. What a recording lacks is told as gaps.
`unusual` is the place to begin when something seems wrong. Removing puts things into a trash, and `undo` takes edits back."""


def make_server(api: Api, *, read_only: bool = False) -> MCPServer:
    """
    Args:
        read_only: only what changes nothing is offered. What an agent may do is in any case what its key may.
    """
    server = MCPServer("ouzel", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING")
    nouns = (mcp_pipelines, mcp_telling, mcp_remotes)
    for tool in (*_reading(api), *(tool for noun in nouns for tool in noun.reading(api))):
        _offer(server, tool, ToolAnnotations(read_only_hint=True, open_world_hint=False))
    changing = () if read_only else (*_changing(api), *(tool for noun in nouns for tool in noun.changing(api)))
    for tool in changing:
        removes = tool.__name__.startswith(_DELETES)
        _offer(server, tool, ToolAnnotations(read_only_hint=False, destructive_hint=removes, open_world_hint=False))
    return server


def _offer(server: MCPServer, tool: Tool, hints: ToolAnnotations) -> None:
    server.add_tool(_telling(tool), annotations=hints, structured_output=True)


def _telling(tool: Callable[P, Doc]) -> Callable[P, Doc]:
    """What the daemon refuses is an answer, with its code."""

    @wraps(tool)
    def ask(*args: P.args, **kwargs: P.kwargs) -> Doc:
        try:
            return tool(*args, **kwargs)
        except OuzelError as exc:
            raise ToolError(f"{exc} ({exc.code})") from exc

    return ask


def _reading(api: Api) -> Sequence[Tool]:
    def status() -> Doc:
        """Everything at a glance: channels, tasks, storage, notices, totals."""
        return api.get("status")

    def unusual() -> Doc:
        """What is not as it should be: channels that cannot be asked about, recordings in trouble, open notices, failed jobs,
        storage that takes nothing, platforms that block. Empty lists mean that all is well."""
        channels = [*api.all("channels", watch=True)]
        running = [{"channel": each["name"], **each["recording"]} for each in channels if each["recording"]]
        return {
            "channels": [each for each in channels if each["state"] in _TROUBLE],
            "recordings": [each for each in running if each["code"]],
            "notices": [*api.all("notices", open=True)],
            "jobs": [*api.all("jobs", state="failed")],
            "storage": [each for each in api.get("storage")["items"] if each["state"] != "open"],
            "platforms": [each for each in api.get("platforms")["items"] if each["closed"] or each["strained"]],
        }

    def list_channels(
        platform: str | None = None,
        label: str | None = None,
        state: str | None = None,
        watch: bool | None = None,
        text: Annotated[str | None, Field(description="in a name, a former one, or an address")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Doc:
        """Channels, with their state (live, offline, blocked, needs_login, region_locked, broken, gone, unknown) and what is
        being recorded."""
        filters = {"platform": platform, "label": label, "state": state, "watch": watch, "text": text}
        return api.get("channels", **filters, limit=limit, cursor=cursor, count="exact")

    def show_channel(channel: ChannelWord) -> Doc:
        """A channel: its settings, what counts and from where each value comes, its state with evidence, its last broadcast."""
        return api.show("channels", channel, "name", "addresses")

    def channel_history(channel: ChannelWord, limit: Limit = 50, cursor: Cursor = None) -> Doc:
        """The states that a channel was in, the latest first, with what was asked and what came."""
        return api.get(f"channels/{_channel(api, channel)}/history", limit=limit, cursor=cursor)

    def list_removed_channels(limit: Limit = 50, cursor: Cursor = None) -> Doc:
        """Channels in the trash."""
        return api.get("channels/trash", limit=limit, cursor=cursor)

    def preview_channel(address: str) -> Doc:
        """What an address is, before it is added: platform, tidied address, and whether it is there already."""
        return api.post("channels/preview", {"address": address})

    def list_recordings(
        channel: ChannelWord | None = None,
        state: str | None = None,
        has_gaps: bool | None = None,
        since: Annotated[str | None, Field(description="begun then or later: ISO 8601 with an offset")] = None,
        until: Annotated[str | None, Field(description="begun before: ISO 8601 with an offset")] = None,
        text: Annotated[str | None, Field(description="in the title")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Doc:
        """Recordings, the latest first, with length, size, gaps and what is missing (`missing_s`)."""
        of = None if channel is None else _channel(api, channel)
        filters = {"channel": of, "state": state, "has_gaps": has_gaps, "since": since, "until": until, "text": text}
        return api.get("recordings", **filters, limit=limit, cursor=cursor, count="exact")

    def show_recording(recording: RecordingWord) -> Doc:
        """A recording with its files, its gaps (where, how long, why) and its chapters."""
        return api.show("recordings", recording, "title")

    def list_jobs(state: str | None = None, limit: Limit = 50, cursor: Cursor = None) -> Doc:
        """Finite work, the newest first: what waits, runs, is done, or failed, and why."""
        return api.get("jobs", state=state, limit=limit, cursor=cursor)

    def list_notices(
        is_open: Annotated[bool | None, Field(description="false: over or dismissed; null: all")] = True,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Doc:
        """What somebody should know, the latest first."""
        return api.get("notices", open=is_open, limit=limit, cursor=cursor)

    def list_storage() -> Doc:
        """Storage roots: free space, what they hold, for how many days they will do."""
        return api.get("storage")

    def list_trash(limit: Limit = 50, cursor: Cursor = None) -> Doc:
        """Recordings that were removed, by somebody or by a rule, and when each goes for good."""
        return api.get("trash", limit=limit, cursor=cursor, count="exact")

    def plan_retention(limit: Limit = 50) -> Doc:
        """What the rules would delete now, in which order and why. Nothing is done."""
        return api.get("retention/plan", limit=limit)

    def list_platforms() -> Doc:
        """Platforms, how many of their channels are watched, and how much each is asked."""
        return api.get("platforms")

    def settings_schema() -> Doc:
        """What can be set for channels, as JSON Schema."""
        return api.get("settings/schema")

    def show_settings(scope: Scope = "global") -> Doc:
        """Settings for all channels, or for those of a platform."""
        return api.get(f"settings/channels/{scope}")

    def list_revisions(limit: Limit = 20, cursor: Cursor = None) -> Doc:
        """What was edited, by whom, and how it was before; the latest first. `undo` takes a number of these."""
        return api.get("revisions", limit=limit, cursor=cursor)

    return (
        status, unusual, list_channels, show_channel, channel_history, list_removed_channels, preview_channel, list_recordings,
        show_recording, list_jobs, list_notices, list_storage, list_trash, plan_retention, list_platforms,
        settings_schema, show_settings, list_revisions,
    )  # fmt: skip


def _changing(api: Api) -> Sequence[Tool]:
    def add_channels(
        addresses: Annotated[
            list[str], Field(min_length=1, max_length=500, description="each is a channel of its own")
        ],
        labels: Sequence[str] = (),
        settings: Layer | None = None,
        watch: bool = True,
    ) -> Doc:
        """Add channels by the addresses of their pages, or of streams. What is wrong with one does not keep the others out."""
        shared = {"labels": [*labels], "settings": settings or {}, "watch": watch}
        return api.post("channels/batch", {"channels": [{"addresses": [each], **shared} for each in addresses]})

    def edit_channel(
        channel: ChannelWord,
        name: Annotated[str | None, Field(description="empty: as the platform calls it")] = None,
        watch: bool | None = None,
        labels: Annotated[list[str] | None, Field(description="in place of those it has")] = None,
        settings: Layer | None = None,
    ) -> Doc:
        """Change a channel. What is null or left out stays."""
        told = {"name": name, "watch": watch, "labels": labels, "settings": settings}
        return _edit(api, channel, {key: value for key, value in told.items() if value is not None})

    def label_channel(channel: ChannelWord, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Doc:
        """Give a channel labels, and take some away."""
        found = api.show("channels", channel, "name", "addresses")
        labels = [each for each in dict.fromkeys([*found["labels"], *add]) if each not in remove]
        return _edit(api, found["id"], {"labels": labels})

    def set_quality(
        channel: ChannelWord,
        quality: Annotated[
            list[str], Field(description="the first that is there: best, 1080p60, 720p, audio, worst …")
        ],
    ) -> Doc:
        """Choose the quality that is recorded, with fall-backs. An empty list: as the layers above say."""
        return _edit(api, channel, {"settings": {"quality": quality or None}})

    def set_schedule(
        channel: ChannelWord,
        windows: Annotated[list[Window], Field(description="hours in which it is watched; empty: always")],
        time_zone: Annotated[str | None, Field(description="such as Asia/Shanghai; null: as it is")] = None,
    ) -> Doc:
        """Watch and record a channel in these hours only."""
        zone = {} if time_zone is None else {"time_zone": time_zone}
        return _edit(api, channel, {"settings": {"schedule": windows, **zone}})

    def remove_channel(channel: ChannelWord) -> Doc:
        """Into the trash. What is being recorded is closed; recordings stay."""
        found = api.find("channels", channel, "name", "addresses")
        api.delete(f"channels/{found['id']}")
        return {"id": found["id"], "name": found["name"], "removed": True}

    def restore_channel(channel: ChannelWord) -> Doc:
        """Out of the trash."""
        found = api.find("channels/trash", channel, "name", "addresses")
        return api.post(f"channels/{found['id']}/restore")

    def check_channel(channel: ChannelWord) -> Doc:
        """Ask its platform about a channel soon, before its turn."""
        return _act(api, channel, "check")

    def record_now(channel: ChannelWord) -> Doc:
        """Record what a channel has on air now, whatever mode, hours and filters say."""
        return _act(api, channel, "record")

    def stop_recording(channel: ChannelWord) -> Doc:
        """Record no more of what a channel has on air. Its next broadcast is recorded as always."""
        return _act(api, channel, "stop")

    def split_recording(channel: ChannelWord) -> Doc:
        """Go on in a new file. Nothing is lost between them."""
        return _act(api, channel, "split")

    def change_settings(scope: Scope, settings: Layer) -> Doc:
        """Change settings for all channels, or for those of a platform. For administrators."""
        return api.patch(f"settings/channels/{scope}", settings)

    def edit_recording(recording: RecordingWord, title: str | None = None, pinned: bool | None = None) -> Doc:
        """Rename a recording, or keep it whatever the rules that delete say."""
        told = {"title": title, "pinned": pinned}
        body = {key: value for key, value in told.items() if value is not None}
        return api.patch(f"recordings/{api.find('recordings', recording, 'title')['id']}", body)

    def remove_recording(recording: RecordingWord) -> Doc:
        """Into the trash. Its files stay, and it can be restored."""
        found = api.find("recordings", recording, "title")
        api.delete(f"recordings/{found['id']}")
        return {"id": found["id"], "title": found["title"], "removed": True}

    def restore_recording(recording: RecordingWord) -> Doc:
        """Out of the trash."""
        return api.post(f"recordings/{api.find('recordings', recording, 'title', trash=True)['id']}/restore")

    def run_retention() -> Doc:
        """Keep the rules that delete now, as a job: see `plan_retention` first. For administrators."""
        return api.post("retention/run")

    def empty_trash(
        recordings: Annotated[list[RecordingWord], Field(description="some in the trash; an empty list: all of it")],
    ) -> Doc:
        """Delete recordings in the trash for good, as a job. For administrators."""
        found = [api.find("recordings", each, "title", trash=True)["id"] for each in recordings]
        return api.post("trash/empty", {"recordings": found or None})

    def cancel_job(job: str) -> Doc:
        """Cancel a job that is not over."""
        return api.post(f"jobs/{api.find('jobs', job)['id']}/cancel")

    def retry_job(job: str) -> Doc:
        """Begin a job again that failed or was cancelled."""
        return api.post(f"jobs/{api.find('jobs', job)['id']}/retry")

    def dismiss_notice(notice: str) -> Doc:
        """Somebody knows. It is not told again before it has been over."""
        return api.post(f"notices/{api.find('notices', notice)['id']}/dismiss")

    def undo(number: Annotated[int, Field(description="of `list_revisions`")]) -> Doc:
        """Make what was edited as it was before. That is an edit, too."""
        return api.post(f"revisions/{number}/undo")

    return (
        add_channels, edit_channel, label_channel, set_quality, set_schedule, remove_channel, restore_channel, check_channel,
        record_now, stop_recording, split_recording, change_settings, edit_recording, remove_recording, restore_recording,
        run_retention, empty_trash, cancel_job, retry_job, dismiss_notice, undo,
    )  # fmt: skip


def _channel(api: Api, word: str) -> str:
    return api.find("channels", word, "name", "addresses")["id"]


def _edit(api: Api, word: str, patch: Doc) -> Doc:
    return api.patch(f"channels/{_channel(api, word)}", patch)


def _act(api: Api, word: str, what: str) -> Doc:
    found = api.find("channels", word, "name", "addresses")
    answer: Doc | None = api.post(f"channels/{found['id']}/{what}")
    return {"channel_id": found["id"], "name": found["name"], "asked": what, "broadcast": answer}
