"""Two answers for one channel give one identity, whoever gave them."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from ouzel.model.live import Live, Offline
from ouzel.platforms.contract import Options, Platform
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
UNTOLD = {("twitch", "streamlink", "offline")}
"""Where the stable id is in no answer: streamlink asks Twitch who it is only of channels that are on air."""


@pytest.mark.parametrize("platform", [each for each in registry() if len(each.chain) > 1], ids=lambda p: p.name)
async def test_all_adapters_give_a_channel_one_identity(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    found: dict[str, list[str]] = {}
    async with platform_server(tmp_path) as server:
        for adapter in platform.chain:
            for state in ("live", "offline"):
                path = DATA / platform.name / adapter / f"{state}.toml"
                if not path.exists() or (platform.name, adapter, state) in UNTOLD:
                    continue
                server.play(case := read_case(path))
                options = Options(proxy=server.proxy, timeout_s=10.0)
                told = await anyio.to_thread.run_sync(answer, case.url or platform.example, adapter, options)
                assert isinstance(told.outcome, (Live, Offline)), told
                found.setdefault(told.outcome.identity.id, []).append(f"{adapter} {state}")
    assert len(found) == 1, found
