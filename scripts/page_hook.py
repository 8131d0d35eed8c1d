"""hatchling's hook: puts the built page into wheels and source distributions, and builds it first where that is possible."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling calls it
        """What is installed to be edited is served from where it is built: nothing to do."""
        if version == "editable":
            return
        page = _load(Path(self.root) / "scripts" / "page.py")
        if not page.WEB.is_dir() or page.is_fresh():
            return  # a source distribution brings the page along
        try:
            page.build()
        except (page.NoNode, subprocess.CalledProcessError) as exc:
            if self.target_name == "sdist":
                raise
            self.app.display_warning(f"THE WEB PAGE IS NOT IN THIS WHEEL: {exc}. Everything else is, and works.")


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
