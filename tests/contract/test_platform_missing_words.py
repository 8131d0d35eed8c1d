"""What a site no longer says is not "off air", whichever library asks: each member of each answer of a live channel, left out.

Our own code goes through more of this in `test_platform_damaged_answers`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
import pytest

from ouzel.model.live import Offline
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
CASES = sorted(DATA.glob("*/[!o]*/live*.toml"))
SAID_BY_ABSENCE = {("acfun", "/profile/liveId"), ("jd", "/result/livingRoomJump"), ("winktv", "/media")}
"""Where a site is documented to say "off air" by leaving out just this (see the cases of the platform)."""


def documents(body: str) -> Iterator[tuple[int, int, Any]]:
    """The outermost objects of JSON in a text: where they begin and end, and what they hold."""
    decoder, at = json.JSONDecoder(), 0
    while (at := body.find("{", at)) >= 0:
        try:
            found, end = decoder.raw_decode(body, at)
        except ValueError:
            at += 1
            continue
        if found:
            yield at, end, found
        at = end


def without_each(doc: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The same with one member of one object less, for each; of a list's objects the first."""
    if isinstance(doc, dict):
        for key, value in doc.items():
            yield f"{path}/{key}", {k: v for k, v in doc.items() if k != key}
            for where, inner in without_each(value, f"{path}/{key}"):
                yield where, {**doc, key: inner}
    elif isinstance(doc, list) and doc:
        for where, inner in without_each(doc[0], f"{path}/0"):
            yield where, [inner, *doc[1:]]


@pytest.mark.parametrize("path", CASES, ids=lambda p: "-".join(p.relative_to(DATA).with_suffix("").parts))
async def test_a_member_that_is_missing_is_not_off_air(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, platform = read_case(path), registry()[path.parts[-3]]
    adapter, url = cast("AdapterName", path.parts[-2]), case.url or platform.example
    liars: list[str] = []
    async with platform_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        options = Options(proxy=server.proxy, timeout_s=10.0)
        for number, planned in enumerate(case.answers):
            for start, end, doc in documents(planned.body):
                for where, less in without_each(doc):
                    body = planned.body[:start] + json.dumps(less) + planned.body[end:]
                    answers = [*case.answers]
                    answers[number] = replace(planned, body=body)
                    server.play(answers)
                    told = await anyio.to_thread.run_sync(answer, url, adapter, options)
                    if isinstance(told.outcome, Offline) and (platform.name, where) not in SAID_BY_ABSENCE:
                        liars.append(f"{planned.ask}: {where}")
    assert not liars
