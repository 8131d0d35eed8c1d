"""Fixtures for all tests: media that is encoded once, and the guard against leaks."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ouzel.testing.clips import Clip, make_clip

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):  # the same examples each time; everywhere else new ones are looked for
    settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """What is there now stays to the end: no search for garbage goes through all of it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the user of this machine has set and kept is not read, nor written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("OUZEL_STATE", str(tmp_path_factory.mktemp("state")))
        for name in [
            name
            for name in os.environ
            if name.startswith(("OUZEL_CONFIG", "OUZEL_PASSWORD")) or (name.startswith("OUZEL_") and "__" in name)
        ]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where clips are kept: a cache folder of the checkout, so that only the first run encodes."""
    folder = Path(__file__).parent.parent / ".cache" / "clips"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return tmp_path_factory.mktemp("clips")
    return folder


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Clip:
    """Twelve seconds of H.264 and AAC, in groups of one second."""
    return make_clip(clip_folder, seconds=12, size="320x180", gop_s=1)


@pytest.fixture(scope="session")
def small_clip(clip_folder: Path) -> Clip:
    """Another resolution, for changes of codec in mid-show."""
    return make_clip(clip_folder, seconds=12, size="160x96", gop_s=1)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Threads and descriptors that a test leaves behind fail it. anyio keeps idle worker threads for a while: these may stay."""
    threads = set(threading.enumerate())
    before = _descriptors()
    yield
    left = [t for t in threading.enumerate() if t not in threads and "AnyIO" not in t.name and not t.daemon]
    assert not left, f"threads left running: {left}"
    after = _descriptors()
    if len(after) > len(before) + 3:  # what libraries hold in circles is closed when these are found
        gc.collect()
        after = _descriptors()
    assert len(after) <= len(before) + 3, f"descriptors left open: {sorted(after.items() - before.items())}"


def _descriptors() -> dict[str, str]:
    folder = Path("/proc/self/fd")
    found: dict[str, str] = {}
    for entry in folder.iterdir() if folder.exists() else ():
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:  # the one that lists the folder is gone by now
            continue
    return found
