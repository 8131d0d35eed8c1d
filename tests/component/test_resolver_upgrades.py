"""Upgraded libraries: in a folder of their own, tried before they are used, and given up again."""

from __future__ import annotations

import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from ouzel.base.errors import BadOption, ToolFailed
from ouzel.platforms.upgrade import Upgrades

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """The smallest that pip installs."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}/__init__.py", code)
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip finds packages instead of the network."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def used(upgrades: Upgrades, library: str) -> str:
    return next(each.used for each in upgrades.versions() if each.library == library)


async def test_an_upgrade_is_used_and_rolled_back(index: Path, tmp_path: Path) -> None:
    upgrades = Upgrades(tmp_path / "resolvers")
    before = used(upgrades, "yt-dlp-ejs")
    steps: list[str] = []
    for number in (1, 2):
        wheel(index, "yt_dlp_ejs", f"999.{number}", f"version = '999.{number}'\n")
        now = NOW + timedelta(hours=number)
        await upgrades.upgrade(now, only=["yt-dlp-ejs"], on_step=steps.append)
        assert used(upgrades, "yt-dlp-ejs") == f"999.{number}"
    assert steps == ["fetching", "checking"] * 2
    child = await anyio.run_process(
        [sys.executable, "-c", "import yt_dlp_ejs; print(yt_dlp_ejs.version)"], env={**upgrades.environment()}
    )
    assert child.stdout.decode().strip() == "999.2"
    upgrades.roll_back()
    assert used(upgrades, "yt-dlp-ejs") == "999.1"
    upgrades.roll_back()
    assert used(upgrades, "yt-dlp-ejs") == before
    assert upgrades.environment() == {}
    with pytest.raises(BadOption, match="nothing was upgraded"):
        upgrades.roll_back()


async def test_what_does_not_work_is_not_used(index: Path, tmp_path: Path) -> None:
    upgrades = Upgrades(tmp_path / "resolvers")
    wheel(index, "streamget", "999.0", "raise RuntimeError('broken release')\n")
    before = used(upgrades, "streamget")
    with pytest.raises(ToolFailed, match="broken release"):
        await upgrades.upgrade(NOW, only=["streamget"], on_step=lambda _: None)
    assert used(upgrades, "streamget") == before
    assert upgrades.all == []


async def test_what_cannot_be_had_changes_nothing(index: Path, tmp_path: Path) -> None:
    upgrades = Upgrades(tmp_path / "resolvers")
    with pytest.raises(ToolFailed):
        await upgrades.upgrade(NOW, only=["yt-dlp"], on_step=lambda _: None)
    with pytest.raises(BadOption, match="is none of"):
        await upgrades.upgrade(NOW, only=["requests"], on_step=lambda _: None)
    assert upgrades.all == []
