"""PandaTV lists all that everybody may see, some to a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.sites.pandatv import PandaAdapter
from ouzel.platforms.watch import Watch


class _Site(Site):
    """Answers with a page of these."""

    def __init__(self, users: list[str], *, stuck: bool = False) -> None:
        super().__init__(Watch(), Options())
        self.users, self.stuck, self.asked = users, stuck, list[int]()

    def post(self, url: str, *, form: Any = None, **_given: Any) -> Reply:
        offset = 0 if self.stuck else form["offset"]
        self.asked.append(form["offset"])
        shown = [
            {"userId": user, "userNick": user.title(), "title": "Watching birds", "isLive": True}
            for user in self.users[offset : offset + form["limit"]]
        ]
        doc = {"result": True, "page": {"offset": offset, "total": len(self.users)}, "list": shown}
        return Reply(200, url, "application/json", json.dumps(doc), {}, {})


EVERYBODY = [f"user{n}" for n in range(70)]


def test_pages_are_asked_for_until_all_are_found() -> None:
    site = _Site(EVERYBODY)
    told = PandaAdapter().probe(["User31", "user5"], site)
    assert told == {"User31": Peek(True, "Watching birds", "User31"), "user5": Peek(True, "Watching birds", "User5")}
    assert site.asked == [0, 30]


def test_who_is_not_listed_is_left_out_and_not_called_off_air() -> None:
    site = _Site(EVERYBODY)
    assert PandaAdapter().probe(["somebody"], site) == {}
    assert site.asked == [0, 30, 60]
    assert PandaAdapter().probe(["somebody"], _Site([])) == {}


def test_the_same_page_for_ever_is_no_answer() -> None:
    with pytest.raises(SiteChanged):
        PandaAdapter().probe(["somebody"], _Site(EVERYBODY, stuck=True))
