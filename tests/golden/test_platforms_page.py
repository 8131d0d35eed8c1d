"""The page of platforms says what their files declare. To write it anew: `OUZEL_WRITE_GOLDEN=1 pytest tests/golden`."""

from __future__ import annotations

import os
from pathlib import Path

from ouzel.platforms.contract import Platform
from ouzel.platforms.registry import registry

PAGE = Path(__file__).parents[2] / "docs/reference/platforms.md"
HEAD = """# Platforms

Made from what the files in `src/ouzel/platforms/sites` declare. [What happens with a page](resolve.md);
[how to add a platform](../design/platforms.md#how-to-add-a-platform).

| platform | addresses | asked | streams | needs |
|---|---|---|---|---|
"""
DIRECT = "| direct | any address of HLS, HTTP-FLV, MPEG-TS, MP4, DASH, RTSP, RTMP, SRT | | | |\n"


def row(platform: Platform) -> str:
    title = platform.title if platform.title == platform.title_zh else f"{platform.title} {platform.title_zh}"
    needs = [{"open": "", "cookie": "cookie helps", "login": "login"}[platform.access]]
    needs += ["account possible"] * bool(platform.login)
    needs += ["proxy advised"] * platform.proxy_advised + ["sound only"] * platform.sound_only
    addresses = " · ".join(f"`{url}`" for url in (*platform.urls, *platform.short))
    told = [*filter(None, needs), *([platform.note] if platform.note else [])]
    cells = (title, addresses, " → ".join(platform.chain), ", ".join(platform.streams), "; ".join(told))
    return f"| {' | '.join(cells)} |\n"


def test_the_page_is_what_is_declared() -> None:
    page = HEAD + "".join(row(platform) for platform in registry()) + DIRECT
    if os.environ.get("OUZEL_WRITE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")
