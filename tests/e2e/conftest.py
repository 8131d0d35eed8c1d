"""The real command against real servers and players."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def hang_up_is_heard() -> Iterator[None]:
    """Whoever started the tests may ignore SIGHUP (`nohup`), and every child would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
