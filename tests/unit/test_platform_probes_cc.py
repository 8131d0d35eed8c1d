"""Who of many is on air on CC, by its list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.cc import CcAdapter


class Pages:
    """A site that answers with one page after the other, and then with empty ones."""

    def __init__(self, *pages: object) -> None:
        self.pages = [*pages]
        self.asked: list[Mapping[str, Any]] = []

    def get(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        self.asked.append(params)
        page = self.pages.pop(0) if self.pages else {"videos": [], "lives": []}
        return Reply(200, url, "application/json", json.dumps(page), {}, {})


def page(*channels: tuple[int, str]) -> dict[str, Any]:
    shown = [
        {"cuteid": user, "ccid": user, "title": title, "nickname": f"user {user}", "status": 1}
        for user, title in channels
    ]
    return {"videos": [], "lives": shown, "name": "", "gametype": 0}


def test_those_in_the_list_are_on_air_but_for_reruns() -> None:
    site = Pages(page((7, "birds"), (8, "fish")), page((9, "【重播】birds")))

    found = CcAdapter().probe(["7", "9", "10"], cast("Site", site))

    assert found == {"7": Peek(True, "birds", "user 7"), "9": Peek(False, "【重播】birds", "user 9")}
    assert [asked["start"] for asked in site.asked] == [0, 30, 60]


def test_a_list_without_end_is_not_read_without_end() -> None:
    site = Pages(*(page((number, "")) for number in range(100)))
    assert CcAdapter().probe(["500"], cast("Site", site)) == {}
    assert len(site.asked) <= 30


@pytest.mark.parametrize("answer", [{}, {"lives": None}])
def test_an_answer_that_is_no_list_says_nothing(answer: object) -> None:
    with pytest.raises(SiteChanged):
        CcAdapter().probe(["7"], cast("Site", Pages(answer)))
