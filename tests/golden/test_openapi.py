"""The description of the API, word for word: a change of it is a change of what other programs know.

After a change that is meant: `OUZEL_WRITE_GOLDEN=1 pytest tests/golden/test_openapi.py`, and look at the difference.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from tests.served import open_served

from ouzel import __version__
from ouzel.api.description import describe

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).with_name("openapi.json")
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


async def test_the_description_is_as_it_was(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        doc = describe(served.app)
    assert doc["openapi"].startswith("3.1")
    doc["info"]["version"] = doc["info"]["version"].replace(__version__, "VERSION")
    text = json.dumps(doc, ensure_ascii=False, indent=1) + "\n"

    if os.environ.get("OUZEL_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_route_is_in_the_reference_and_no_other() -> None:
    doc = json.loads(GOLDEN.read_text())
    there = {f"{method.upper()} {path}" for path, methods in doc["paths"].items() for method in methods}
    told = set(re.findall(r"^\| `((?:GET|POST|PATCH|PUT|DELETE) [^`?]+)", REFERENCE.read_text(), re.MULTILINE))

    assert told == there | {"GET /api/openapi.json"}


def test_every_operation_has_a_name_a_sentence_and_problems() -> None:
    operations = [each for path in json.loads(GOLDEN.read_text())["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]

    assert len(names) == len(set(names))
    for each in operations:
        assert each["description"], each["operationId"]
        assert "application/problem+json" in each["responses"]["default"]["content"]
