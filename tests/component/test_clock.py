"""Subtitles that tell the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.killing import killed
from tests.recordings import record

from ouzel.base.errors import BadOption, NotALedger
from ouzel.engine.afterwards.clock import DLR, ClockWish, check_clock, make_clock
from ouzel.engine.convert import convert
from ouzel.engine.probe import probe
from ouzel.testing.clips import Clip, make_clip

pytestmark = pytest.mark.anyio


async def test_the_form_of_douyin_live_recorder(tmp_path: Path, clip: Clip) -> None:
    made = await make_clock(record(tmp_path, clip), DLR, out=tmp_path / "show.srt")
    blocks = made.read_text().split("\n\n")
    assert len(blocks) == 12
    assert blocks[0] == "1\n00:00:00,000 --> 00:00:01,000\n2026-11-22 12:00:00"
    assert blocks[5] == "6\n00:00:05,000 --> 00:00:06,000\n2026-11-22 12:00:05"
    found = await probe(made)
    assert [(s.codec, s.packets) for s in found.streams] == [("subrip", 12)]


async def test_the_clock_jumps_where_a_gap_is_and_says_why(tmp_path: Path, clip: Clip) -> None:
    show = record(tmp_path, clip, lost=[4, 5])
    wish = ClockWish("vtt", "{position} {time} {zone} <b>", "{missing} s: {why}", 2.0, "Asia/Shanghai")
    made = await make_clock(show, wish)
    assert made.name == "show.clock.vtt"
    blocks = made.read_text().split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert blocks[2] == "00:00:02.000 --> 00:00:04.000\n00:00:02 20:00:02 +08:00 &lt;b&gt;"
    assert blocks[3].splitlines()[-1] == "00:00:04 20:00:06 +08:00 &lt;b&gt;"
    assert blocks[3].splitlines()[1:-1] == ["2 s: 404"]
    assert blocks[-1].splitlines()[-1] == "00:00:08 20:00:10 +08:00 &lt;b&gt;"
    product = await convert(show, "mp4", keep_original=False)
    again = await make_clock(product.path, wish)
    assert (again, again.read_text().split("\n\n")) == (made, blocks)


async def test_a_clock_that_is_set_forward_by_law(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.recordings.NOON", datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC))
    made = await make_clock(record(tmp_path, clip), ClockWish(zone="Europe/Berlin", template="{time} {zone}"))
    texts = [block.splitlines()[-1] for block in made.read_text().split("\n\n")]
    assert texts[1:3] == ["01:59:59 +01:00", "03:00:00 +02:00"]


async def test_what_makes_no_sense_is_refused(tmp_path: Path, clip: Clip) -> None:
    wrong = [
        (ClockWish(template="{titel}"), "{titel} is no field of this template; there are date, time, zone, position"),
        (ClockWish(template="{time!r}"), "is no field"),
        (ClockWish(template="{time"), "cannot be read"),
        (ClockWish(template="{date.year}"), "is no field"),
        (ClockWish(zone="Mars/Olympus"), "is no time zone"),
        (ClockWish(zone="../etc/passwd"), "is no time zone"),
        (ClockWish(every_s=0), "makes no sense"),
    ]
    for wish, words in wrong:
        with pytest.raises(BadOption, match=words):
            check_clock(wish)
    with pytest.raises(NotALedger, match="nothing tells when"):
        await make_clock(clip.file(".mp4"))
    mine = tmp_path / "mine.srt"
    mine.write_text("mine")
    with pytest.raises(BadOption, match="says something else"):
        await make_clock(record(tmp_path, clip), out=mine)


async def test_killed_at_several_moments(tmp_path: Path, clip_folder: Path) -> None:
    clip = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1)
    await killed("clock", tmp_path, clip, {"show.clock.srt"}, originals={"show.ts"})
