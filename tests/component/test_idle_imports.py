"""What a daemon loads that only watches: each module of those below is memory that it would never use."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LATER = (
    "alembic", "apprise", "av", "cryptography", "curl_cffi", "http.cookiejar", "http.server", "httpx", "mcp", "obstore",
    "ouzel.api.cursors", "ouzel.api.events", "ouzel.api.once", "ouzel.config.exports", "ouzel.config.importers",
    "ouzel.daemon.table", "ouzel.engine.convert", "ouzel.engine.look", "ouzel.engine.reading", "ouzel.engine.recorder",
    "ouzel.engine.recover_file", "ouzel.formats.flv", "ouzel.formats.fmp4", "ouzel.formats.m3u8", "ouzel.formats.mpegts",
    "ouzel.services.families", "ouzel.store.migrating", "prometheus_client", "rich", "smtplib", "streamlink", "yaml",
    "yt_dlp",
)  # fmt: skip


_CODE = """
import sys
import anyio, ouzel.cli.serve
from ouzel.cli.live import live_view
from ouzel.config.load import load_settings
from ouzel.config.sources import Override
from ouzel.daemon.run import serve

async def until_ready():
    stop = anyio.Event()
    await serve(settings, lambda now: stop.set(), view=view, stop=stop)

given = {"storage.data": sys.argv[1], "storage.recordings": sys.argv[1], "storage.min_free": "1KiB", "server.port": "0"}
settings = load_settings(None, [], [Override("", *each) for each in given.items()])
with live_view(table=False) as view:
    anyio.run(until_ready)
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """By a daemon that began, and was told to end."""
    folder = str(tmp_path_factory.mktemp("idle"))
    done = subprocess.run(
        [sys.executable, "-c", _CODE, folder], check=True, capture_output=True, text=True, timeout=60, cwd=folder
    )
    return frozenset(done.stdout.split())


def test_no_route_is_there_before_it_is_asked(loaded: frozenset[str]) -> None:
    assert {each for each in loaded if each.startswith(("ouzel.api.routes.", "ouzel.api.schemas."))} == set()


@pytest.mark.parametrize("module", _LATER)
def test_it_comes_with_its_first_use(module: str, loaded: frozenset[str]) -> None:
    assert "ouzel.daemon.build" in loaded
    assert module not in loaded
