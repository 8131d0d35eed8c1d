"""Who of many is on air on AcFun, by its list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.acfun import AcfunAdapter


class Pages:
    """A site that answers with one page after the other."""

    def __init__(self, *pages: object) -> None:
        self.pages = [*pages]
        self.asked: list[Mapping[str, Any]] = []

    def get(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        self.asked.append(params)
        return Reply(200, url, "application/json", json.dumps(self.pages.pop(0)), {}, {})


def page(cursor: str, *users: int) -> dict[str, Any]:
    shown = [{"authorId": user, "title": f"title {user}", "user": {"name": f"user {user}"}} for user in users]
    return {"channelListData": {"result": 0, "pcursor": cursor, "liveList": shown}}


def test_those_in_the_list_are_on_air_and_of_others_nothing_is_said() -> None:
    site = Pages(page("1", 7, 8), page("no_more", 9))

    found = AcfunAdapter().probe(["7", "9", "10"], cast("Site", site))

    assert found == {"7": Peek(True, "title 7", "user 7"), "9": Peek(True, "title 9", "user 9")}
    assert [asked["pcursor"] for asked in site.asked] == ["", "1"]


def test_a_list_without_end_is_not_read_without_end() -> None:
    site = Pages(*(page(str(number), number) for number in range(100)))
    assert AcfunAdapter().probe(["500"], cast("Site", site)) == {}
    assert len(site.asked) <= 20


@pytest.mark.parametrize("answer", [{}, {"channelListData": {"result": 1}}, {"channelListData": {"result": 0}}])
def test_an_answer_that_is_no_list_says_nothing(answer: object) -> None:
    with pytest.raises(SiteChanged):
        AcfunAdapter().probe(["7"], cast("Site", Pages(answer)))
