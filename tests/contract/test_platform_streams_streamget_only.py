"""What is told of the first stream of each of these platforms: what it takes to open it, and until when that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from ouzel.model.live import Live
from ouzel.platforms.contract import Options
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"

FIRST: dict[str, dict[str, Any]] = {
    "yy": {
        "level": "hd",
        "height": 1280,
        "fps": 24,
        "bitrate_bps": 2_300_000,
        "codec": "h264",
        "cdn": "ks-flv-web.yy.com",
        "expires_at": "2026-11-18T11:16:40+00:00",
    },
    "weibo": {"level": "original", "codec": "h264", "expires_at": None},
    "baidu": {"level": "original", "codec": "h264", "expires_at": None},
    "missevan": {"level": "audio", "codec": "", "expires_at": "2026-11-18T11:06:40+00:00"},
    "inke": {"level": "original", "codec": "hevc", "expires_at": "2026-11-18T08:10:40+00:00"},
    "kugou": {"level": "original", "codec": "h264", "height": 1080, "expires_at": "2026-11-18T08:10:40+00:00"},
    "look": {"level": "original", "codec": "h264", "expires_at": None},
    "liveme": {"level": "original", "codec": "h264", "expires_at": "2026-11-18T08:10:40+00:00"},
    "xiaohongshu": {"level": "original", "codec": "h264", "height": 1920, "expires_at": None},
    "winktv": {"level": "original", "expires_at": None},
    "ttinglive": {"level": None, "expires_at": None},
    "popkontv": {"level": "original", "expires_at": None},
    "huajiao": {"level": "original", "codec": "h264", "expires_at": None},
    "liuxing": {"level": "original", "cdn": "txpull1.5see.com", "expires_at": None},
    "qiandurebo": {"level": "original", "expires_at": "2026-11-18T11:06:40+00:00"},
    "zhihu": {"level": "original", "expires_at": None},
    "yinbo": {"level": "original", "cdn": "pull.ybw1666.com", "expires_at": None},
    "blued": {"level": "original", "expires_at": None},
}


@pytest.mark.parametrize("name", FIRST)
async def test_the_first_stream(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = registry()[name]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with platform_server(tmp_path) as server:
        server.play(read_case(DATA / name / platform.chain[0] / "live.toml"))
        options = Options(proxy=server.proxy, timeout_s=10.0)
        told = await anyio.to_thread.run_sync(answer, platform.example, None, options)

    assert isinstance(told.outcome, Live), told.outcome
    stream = told.outcome.streams[0]
    assert {field for field, _ in platform.headers} <= {field for field, _ in stream.headers}
    assert stream.proxy == server.proxy
    expected = dict(FIRST[name])
    until = expected.pop("expires_at")
    assert (stream.expires_at.isoformat() if stream.expires_at else None) == until
    assert {field: getattr(stream, field) for field in expected} == expected
