"""The page `/metrics`, word for word: names and labels are a promise to dashboards.

After a change that is meant: `OUZEL_WRITE_GOLDEN=1 pytest tests/golden`, and look at the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ouzel import __version__
from ouzel.services.metrics import Metrics
from ouzel.services.numbers import Numbers
from ouzel.services.storage import RootState, RootView
from ouzel.services.watching import PlatformLoad

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).with_name("metrics.txt")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
NUMBERS = Numbers(
    channels={"live": 2, "blocked": 1, "unwatched": 4},
    recordings={"recording": 2, "done": 40},
    jobs={"running": 1, "failed": 2},
    notices={"warning": 3},
    kept_bytes=123_456_789_012,
    kept_media_s=86_400.5,
    reconnects=7,
    gaps={"stalled": (2, 12.5), "segment_gone": (1, 4.0)},
    loads=[
        PlatformLoad("bilibili", 30, 1200, 60.0, closed=False, strained=True, tokens=-2.5),
        PlatformLoad("huya", 3, 90, 60.0, closed=True, strained=False, tokens=10.0),
    ],
    roots=[
        RootView("recordings", Path("/media"), RootState.LOW, "full", 10**12, 10**9, 5 * 10**9, 41, 10**11, 2e9, 0.0)
    ],
    writes=321,
)


async def test_the_page_is_as_it_was() -> None:
    async def read() -> Numbers:
        return NUMBERS

    metrics = Metrics(read, process=False)
    for took_s in (0.5, 0.7, 31.0):
        metrics.tally.polled("huya", "offline", took_s)
    metrics.tally.answered("list_channels", 200, 0.01)
    said = (await metrics.page()).decode().replace(__version__, "VERSION")
    if os.environ.get("OUZEL_WRITE_GOLDEN"):
        GOLDEN.write_text(said)
    assert said == GOLDEN.read_text()


def test_every_metric_is_documented_and_no_other() -> None:
    shown = set(re.findall(r"^# TYPE (\w+)", GOLDEN.read_text(), re.MULTILINE))
    assert set(re.findall(r"^\| `(\w+)`", PAGE.read_text(), re.MULTILINE)) == shown
