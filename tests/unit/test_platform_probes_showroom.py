"""SHOWROOM tells in one answer of all rooms that are on air."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.sites.showroom import ShowroomAdapter
from ouzel.platforms.watch import Watch


class _Site(Site):
    """Answers each question with the same."""

    def __init__(self, body: object) -> None:
        super().__init__(Watch(), Options())
        self.body, self.asked = body, list[str]()

    def get(self, url: str, **_given: Any) -> Reply:
        self.asked.append(url)
        return Reply(200, url, "application/json", json.dumps(self.body), {}, {})


def test_those_on_air_are_told_and_the_others_left_out() -> None:
    room: Mapping[str, object] = {
        "room_id": 317313,
        "room_url_key": "somebody",
        "main_name": "Somebody",
        "telop": "Watching birds",
        "started_at": 1795320000,
    }
    nobody: Mapping[str, object] = {"cell_type": 7, "message": "nobody is on air"}
    site = _Site({"onlives": [{"genre_id": 0, "lives": [room]}, {"genre_id": 102, "lives": [nobody]}]})

    told = ShowroomAdapter().probe(["317313", "somebody", "99"], site)

    assert told == dict.fromkeys(["317313", "somebody"], Peek(True, "Watching birds", "Somebody"))
    assert len(site.asked) == 1


def test_an_answer_that_lists_nothing_is_no_answer() -> None:
    with pytest.raises(SiteChanged):
        ShowroomAdapter().probe(["317313"], _Site({}))
