"""When two answers of a platform speak of one broadcast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ouzel.model.broadcast import Broadcast, BroadcastState, move_broadcast
from ouzel.model.live import Identity, Live
from ouzel.model.stream import Stream

_NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
_S = BroadcastState


def _broadcast(state: BroadcastState = _S.LIVE, **known: object) -> Broadcast:
    usual = {"started_at": _NOW - timedelta(hours=1), "told_start": False, "seen_at": _NOW - timedelta(seconds=60)}
    return Broadcast("b1", "c1", state, **{**usual, **known})  # type: ignore[arg-type]


def _live(**known: object) -> Live:
    return Live(Identity("huya", "1"), "x", (Stream("https://x.example/"),), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broadcast", "live", "expected"),
    [
        (_broadcast(_S.ENDED, own_name="77"), _live(broadcast="77"), True),
        (_broadcast(own_name="77"), _live(broadcast="78"), False),
        (_broadcast(_S.ENDED, told_start=True), _live(started_at=_NOW - timedelta(minutes=59)), True),
        (_broadcast(told_start=True), _live(started_at=_NOW - timedelta(minutes=5)), False),
        (_broadcast(), _live(), True),
        (_broadcast(_S.PARKED), _live(), True),
        (_broadcast(_S.ENDED), _live(), True),
        (_broadcast(_S.ENDED, seen_at=_NOW - timedelta(seconds=81)), _live(), False),
        (_broadcast(_S.ENDED, seen_at=_NOW - timedelta(hours=3), own_name="77"), _live(), False),
    ],
)
def test_a_broadcast_is_meant(broadcast: Broadcast, live: Live, expected: bool) -> None:
    assert broadcast.is_meant_by(live, _NOW, park_s=80.0) is expected


def test_an_ended_broadcast_can_only_come_back() -> None:
    assert move_broadcast(_S.ENDED, _S.LIVE) is _S.LIVE
    with pytest.raises(ValueError, match="cannot go"):
        move_broadcast(_S.ENDED, _S.PARKED)
