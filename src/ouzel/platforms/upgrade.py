"""The libraries that know platforms, newer than those of the installation: in a folder of their own, and never in it.

    FOLDER/20261122-120000/    what one upgrade brought: yt_dlp, streamlink, streamget …
    FOLDER/current             the name of the one in use; without it the installation's own are used

The child process is started with the folder in use in front of its import path. An upgrade counts only when a child has imported
all adapters from it; the one before stays for `roll_back`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from ouzel.base.errors import BadOption, ToolFailed, ToolMissing
from ouzel.system.process import Result, run

LIBRARIES = ("streamlink", "yt-dlp", "yt-dlp-ejs", "streamget")
_CHECK = "import ouzel.platforms.adapters.of_streamlink, ouzel.platforms.adapters.of_ytdlp, ouzel.platforms.adapters.of_streamget"
_NAME = re.compile(r"\d{8}-\d{6}")
_CURRENT = "current"
_KEPT = 3


def default_folder() -> Path:
    """Where upgrades are kept: OUZEL_RESOLVERS, else below the user's data."""
    given = os.environ.get("OUZEL_RESOLVERS")
    data = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(given) if given else Path(data) / "ouzel" / "resolvers"


@dataclass(frozen=True, slots=True)
class Version:
    """One library: what is in use, and what the installation has."""

    library: str
    used: str
    installed: str


class Upgrades:
    """The upgrades in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def current(self) -> Path | None:
        """The upgrade in use; None: the installation's own libraries are."""
        try:
            name = (self._folder / _CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        path = self._folder / name
        return path if _NAME.fullmatch(name) and path.is_dir() else None

    @property
    def all(self) -> list[Path]:
        """From the oldest on."""
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())

    def environment(self) -> Mapping[str, str]:
        """What a child process is told, to find them."""
        current = self.current
        if current is None:
            return {}
        before = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([str(current), *([before] if before else [])])}

    def versions(self) -> list[Version]:
        current = self.current
        own = {d.name.lower(): d.version for d in metadata.distributions(path=[str(current)])} if current else {}
        return [
            Version(name, own.get(name, installed), installed) for name in LIBRARIES for installed in [_installed(name)]
        ]

    async def upgrade(
        self, now: datetime, *, only: Sequence[str] = (), on_step: Callable[[str], None]
    ) -> list[Version]:
        """Fetch the newest, try them, and use them from the next child on.

        Args:
            only: of these libraries; none: of all.
            on_step: told what is being done.
        Raises: BadOption; ToolMissing without pip; ToolFailed when they cannot be had, or do not work: nothing is changed then.
        """
        unknown = [name for name in only if name not in LIBRARIES]
        if unknown:
            raise BadOption(f"{unknown[0]} is none of {', '.join(LIBRARIES)}")
        new = self._folder / now.strftime("%Y%m%d-%H%M%S")
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            on_step("fetching")
            await _python(["-m", "pip", "--version"], missing=True)
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(new)]
            await _python([*pip, *(only or LIBRARIES)])
            on_step("checking")
            await _python(["-c", _CHECK], env={"PYTHONPATH": f"{new}{os.pathsep}{_import_path()}"})
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        self._use(new.name)
        for old in self.all[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return self.versions()

    def roll_back(self) -> list[Version]:
        """Use the upgrade before; if there is none, what the installation has. Raises: BadOption when nothing was upgraded."""
        current = self.current
        if current is None:
            raise BadOption("nothing was upgraded: the installation's own libraries are in use")
        before = [path for path in self.all if path.name < current.name]
        if before:
            self._use(before[-1].name)
        else:
            (self._folder / _CURRENT).unlink()
        return self.versions()

    def _use(self, name: str) -> None:
        temporary = self._folder / f".{_CURRENT}"
        temporary.write_text(name + "\n", encoding="utf-8")
        temporary.replace(self._folder / _CURRENT)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _import_path() -> str:
    return os.pathsep.join(path for path in sys.path if path)


async def _python(words: Sequence[str], *, env: Mapping[str, str] | None = None, missing: bool = False) -> Result:
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    try:
        return await run([sys.executable, *words], env={**settings, **(env or {})})
    except ToolFailed as exc:
        if missing:
            raise ToolMissing("pip is not there, with which the libraries could be fetched") from exc
        raise
