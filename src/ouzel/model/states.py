"""The life of a recording, as a table. An illegal move raises; `docs/design/recording.md` draws it from here."""

from __future__ import annotations

from enum import StrEnum


class RecordingState(StrEnum):
    WAITING = "waiting"  # not on air yet
    CONNECTING = "connecting"
    RECORDING = "recording"  # media is being written
    PARKED = "parked"  # dropped; may come back
    PAUSED = "paused"  # the disk does not take anything
    FINISHING = "finishing"  # files are closed and converted
    DONE = "done"


_S = RecordingState
MOVES: dict[RecordingState, frozenset[RecordingState]] = {
    _S.WAITING: frozenset({_S.CONNECTING, _S.FINISHING}),
    _S.CONNECTING: frozenset({_S.RECORDING, _S.PARKED, _S.WAITING, _S.PAUSED, _S.FINISHING}),
    _S.RECORDING: frozenset({_S.PARKED, _S.PAUSED, _S.FINISHING}),
    _S.PARKED: frozenset({_S.CONNECTING, _S.FINISHING}),
    _S.PAUSED: frozenset({_S.CONNECTING, _S.FINISHING}),
    _S.FINISHING: frozenset({_S.DONE}),
    _S.DONE: frozenset(),
}


def move(now: RecordingState, then: RecordingState) -> RecordingState:
    """`then`, if it may follow `now`. Raises: ValueError: a bug in the caller."""
    if then is not now and then not in MOVES[now]:
        raise ValueError(f"a recording cannot go from {now} to {then}")
    return then
