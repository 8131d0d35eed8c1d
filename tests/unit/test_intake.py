"""What an intake does with bytes that are its own only while it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.flv_source import groups, opening, stream

from ouzel.base.errors import TooLarge
from ouzel.engine.intake import Intake
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.formats.flv import FlvRules, FlvShaper
from ouzel.formats.flv.tags import VIDEO
from ouzel.model.flow import EndReason
from ouzel.system.clock import SystemClock

FOREIGN = 0xEE
TOO_LARGE = bytes([VIDEO]) + b"\xff\xff\xff" + bytes(7)
"""The head of a tag that nobody would want to have."""


def tape_in(folder: Path) -> Tape:
    return Tape(
        lambda _part, ending: folder / f"show.{ending}",
        source="http://host/show.flv",
        software="ouzel test",
        clock=SystemClock(),
        limits=TapeLimits(),
        listener=lambda _event: None,
    )


def test_what_comes_before_bytes_that_are_refused_is_written_before_they_are_anothers(tmp_path: Path) -> None:
    tape = tape_in(tmp_path)
    intake = Intake(FlvShaper(FlvRules(max_tag=1 << 20)), tape, continuous=True)
    media = stream(groups(3))
    buffer = bytearray(opening() + media + TOO_LARGE)
    with memoryview(buffer) as piece, pytest.raises(TooLarge):
        intake.take(piece)
    buffer[:] = bytes([FOREIGN]) * len(buffer)  # there is one buffer for all channels: the next one's bytes
    intake.finish()
    tape.finish(EndReason.STOPPED)
    (closed,) = tape.closed
    sink = closed.sink
    kept = sink.part_path.read_bytes()[: sink.size]
    sink.release()
    assert sink.media_s == pytest.approx(3)
    assert kept.endswith(media)
