"""Routes that come with the first request for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from fastapi.routing import APIRoute
from tests.served import open_served

from ouzel.api import routes
from ouzel.api.late import router_of
from ouzel.api.routes import NOUNS, word_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("module", NOUNS)
def test_each_module_is_asked_for_all_of_its_addresses(module: str) -> None:
    paths = [each.path for each in router_of(module).routes if isinstance(each, APIRoute)]

    assert {word_of(path) for path in paths} == {*NOUNS[module]}


def test_each_module_of_routes_is_named() -> None:
    there = {f"routes.{path.stem}" for path in Path(routes.__path__[0]).glob("*.py") if path.stem != "__init__"}

    assert there == {each for each in NOUNS if each.startswith("routes.")}


_ALONE = """
import importlib, os, ouzel.api.app
from ouzel.api.routes import NOUNS
for module in NOUNS:
    if (child := os.fork()) == 0:
        importlib.import_module(f"ouzel.api.{module}")
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(module)
"""


def test_each_module_may_be_the_first_that_is_asked_for() -> None:
    """None leans on what another does when it is imported."""
    done = subprocess.run([sys.executable, "-c", _ALONE], check=True, capture_output=True, text=True)

    assert done.stdout == "", done.stderr


async def test_a_noun_comes_once_however_many_ask_for_it_first(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.client() as nobody:
        before, statuses = len(served.app.routes), list[int]()

        async def ask(path: str) -> None:
            statuses.append((await nobody.get(path)).status_code)

        async with anyio.create_task_group() as tasks:
            for path in ("/api/storage", "/api/storage", "/api/storage", "/api/nothing"):
                tasks.start_soon(ask, path)

        assert sorted(statuses) == [401, 401, 401, 404]
        assert len(served.app.routes) == before + 1
