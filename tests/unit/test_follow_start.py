"""What followed files say of the daemon itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ouzel.config.load import load_settings
from ouzel.config.sources import Override
from ouzel.platforms.registry import registry
from ouzel.services.follow_start import settings_of


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "config" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def keys(folder: Path) -> dict[str, str]:
    return {each.key: each.text for each in settings_of([folder], registry())}


def test_places_count_from_where_the_other_program_is_at_home(tmp_path: Path) -> None:
    path = write(tmp_path, "config.json", '{"uids": ["a"], "data_path": "data",\n"shutdown_timeout": 7}')
    assert keys(tmp_path) == {"storage.recordings": str(tmp_path / "data"), "daemon.shutdown_timeout": "7s"}
    assert keys(tmp_path / "config") == keys(tmp_path)
    assert [each.option for each in settings_of([tmp_path], registry())] == [f"{path}, line {n}" for n in (1, 2)]


@pytest.mark.parametrize(("said", "folder"), [("= /srv/video", "/srv/video"), ("=", "downloads"), ("= a/b", "a/b")])
def test_the_usual_folder_of_the_other_recorder_is_downloads(said: str, folder: str, tmp_path: Path) -> None:
    write(tmp_path, "config.ini", f"[录制设置]\n直播保存路径(不填则默认) {said}\n录制空间剩余阈值(gb) = 2.5\n")
    assert keys(tmp_path) == {"storage.recordings": str(tmp_path / folder), "storage.min_free": "2.5GiB"}


def test_a_list_of_rooms_alone_says_nothing_of_it(tmp_path: Path) -> None:
    write(tmp_path, "URL_config.ini", "https://live.bilibili.com/1\n")
    assert keys(tmp_path) == {}


def test_what_our_own_settings_say_goes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "config.json", '{"uids": ["a"], "data_path": "data", "shutdown_timeout": 7}')
    followed = settings_of([tmp_path], registry())
    monkeypatch.setenv("OUZEL_STORAGE__DATA", str(tmp_path / "own"))
    settings = load_settings(None, (), (), followed)
    assert settings.storage.recordings == tmp_path / "data"
    assert settings.daemon.shutdown_timeout.total_seconds() == 7
    given = Override("--recordings", "storage.recordings", str(tmp_path / "given"))
    settings = load_settings(None, (), (given,), followed)
    assert settings.storage.recordings == tmp_path / "given"
