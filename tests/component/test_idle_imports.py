"""What a daemon loads that only watches: each module of those below is memory that it would never use."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LATER = (
    "http.cookiejar", "http.server", "ouzel.engine.convert", "ouzel.services.families", "prometheus_client",
    "ouzel.engine.look", "ouzel.engine.recorder", "ouzel.engine.recover_file", "ouzel.engine.reading",
    "ouzel.formats.flv", "ouzel.formats.fmp4", "ouzel.formats.m3u8", "ouzel.formats.mpegts", "ouzel.config.importers",
    "ouzel.store.migrating", "alembic", "apprise", "av", "cryptography", "curl_cffi", "httpx", "mcp", "obstore", "smtplib",
    "yaml", "streamlink", "yt_dlp", "ouzel.api.events", "ouzel.api.cursors", "ouzel.api.once", "ouzel.config.exports",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    code = "import sys, ouzel.cli.serve, ouzel.cli.live, ouzel.daemon.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())


def test_no_route_is_there_before_it_is_asked(loaded: frozenset[str]) -> None:
    assert {each for each in loaded if each.startswith(("ouzel.api.routes.", "ouzel.api.schemas."))} == {
        "ouzel.api.routes.setup"
    }


@pytest.mark.parametrize("module", _LATER)
def test_it_comes_with_its_first_use(module: str, loaded: frozenset[str]) -> None:
    assert "ouzel.daemon.build" in loaded
    assert module not in loaded
