"""What is shown of a daemon goes over the wire and back, and its lines know how urgent they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ouzel.base.errors import BadResponse
from ouzel.model.live import State
from ouzel.model.overview import (
    ChannelLine,
    NoticeLine,
    Overview,
    RootLine,
    TaskLine,
    Trouble,
    by_urgency,
    task_state,
)
from ouzel.model.ownership import TaskState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEEN = Overview(
    NOON,
    "1.0",
    "http://127.0.0.1:8521",
    NOON,
    channels=(
        ChannelLine(
            "a", "小明", "huya", "recording", NOON, "第一局", "", "原画", 61.5, 1_000_000, 4_000_000, 1, 2.5, "/m/a.ts",
            Trouble("stalled", "nothing came"),
        ),
        ChannelLine("b", "bob", "twitch", "live", NOON, not_recorded="schedule"),
        ChannelLine("c", "carol", "twitch", "offline"),
    ),
    tasks=(TaskLine("process", "poll:huya", "huya", "running", 5.0), TaskLine("recording", "rec:a", "小明", "queued")),
    roots=(RootLine("recordings", "/m", 10**10, 5 * 10**9),),
    notices=(NoticeLine("disk_low", "warning", "there is little room", NOON),),
)  # fmt: skip


def test_what_is_read_is_what_was_written() -> None:
    doc = json.loads(json.dumps(SEEN.fields()))
    assert Overview.parse(doc) == SEEN
    assert doc["channels"][0]["last_error"] == {"code": "stalled", "message": "nothing came"}
    assert doc["at"] == "2026-11-22T12:00:00.000Z"
    assert doc["totals"] == {
        "channels": 3, "on_air": 2, "recording": 1, "troubled": 1, "bitrate_bps": 4_000_000, "bytes": 1_000_000, "gaps": 1,
    }  # fmt: skip


def test_a_newer_daemon_is_understood() -> None:
    doc = SEEN.fields()
    doc["moon"] = "full"
    doc["channels"][1]["mood"] = "good"
    assert Overview.parse(doc) == SEEN


@pytest.mark.parametrize(
    "doc",
    [None, [], {}, {"at": 1}, SEEN.fields() | {"channels": [1]}, SEEN.fields() | {"channels": [{"id": "a"}]},
     SEEN.fields() | {"at": "noon"}, SEEN.fields() | {"channels": None}],
)  # fmt: skip
def test_what_is_no_overview_is_refused(doc: Any) -> None:
    with pytest.raises(BadResponse):
        Overview.parse(doc)


def line(name: str, state: str, *, error: bool = False) -> ChannelLine:
    return ChannelLine(name, name, "huya", state, last_error=Trouble("stalled", "") if error else None)


def test_the_troubled_come_first_then_the_recorded_then_the_rest() -> None:
    lines = [
        line("offline", "offline"),
        line("blocked", "blocked"),
        line("live", "live"),
        line("fine", "recording"),
        line("limping", "recording", error=True),
        line("parked", "parked"),
        line("again", "tried_again"),
        line("off", "unwatched"),
    ]
    ordered = [each.name for each in sorted(lines, key=by_urgency)]
    assert ordered == ["again", "limping", "parked", "fine", "live", "blocked", "off", "offline"]


def test_every_state_that_is_no_answer_is_trouble() -> None:
    troubled = {state for state in State if line("x", state).is_troubled}
    assert troubled == {State.BLOCKED, State.NEEDS_LOGIN, State.REGION_LOCKED, State.BROKEN, State.GONE}


@pytest.mark.parametrize(
    ("state", "failed", "shown"),
    [
        (TaskState.RUNNING, True, "running"),
        (TaskState.STOPPING, False, "shutdown"),
        (TaskState.HELD, True, "failed"),
        (TaskState.HELD, False, "completed"),
    ],
)
def test_tasks_are_in_one_of_the_states_that_users_know(state: TaskState, failed: bool, shown: str) -> None:
    assert task_state(state, failed=failed) == shown
