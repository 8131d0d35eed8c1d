"""Fixtures of the suites that every adapter of ownership and of the queue has to pass."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from tests.engines import ENGINES, Engine, Station

from ouzel.testing.clock import FakeClock


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    made: Any = ENGINES[request.param](tmp_path)
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def station(engine: Engine, clock: FakeClock) -> AsyncGenerator[Station]:
    """The only process, registered."""
    async with engine.station(clock) as opened:
        await opened.ownership.register("one", labels=frozenset({"gpu"}), cap=100)
        yield opened
