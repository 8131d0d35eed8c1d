"""Many rooms of Bilibili in one question."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.sites.bilibili import BilibiliAdapter


class Asked:
    """A site that answers one thing."""

    def __init__(self, data: object) -> None:
        self.options, self.data, self.asked = Options(), data, list[Any]()

    def get(self, url: str, *, params: dict[str, Any], headers: object) -> Reply:
        self.asked.append(params["room_ids"])
        return Reply(200, url, "application/json", json.dumps({"code": 0, "data": self.data}), {}, {})


def room(number: int, status: object, short: int = 0) -> dict[str, object]:
    return {"room_id": number, "short_id": short, "live_status": status, "title": "Birds", "uname": "Somebody"}


def test_each_is_told_of_under_the_number_that_was_asked_for() -> None:
    rooms = [room(7734200, 1, short=6), room(8, 0), room(9, "2"), room(10, 7), room(11, None)]
    asked = Asked({"by_room_ids": {str(each["room_id"]): each for each in rooms}})

    told = BilibiliAdapter().probe(["6", "8", "9", "10", "11", "12"], cast("Site", asked))

    assert told == {  # of a state that nobody knows, and of a room that is not mentioned, nothing is told
        "6": Peek(True, "Birds", "Somebody"),
        "8": Peek(False, "Birds", "Somebody"),
        "9": Peek(False, "Birds", "Somebody"),
    }
    assert asked.asked == [["6", "8", "9", "10", "11", "12"]]


def test_an_answer_without_rooms() -> None:
    assert BilibiliAdapter().probe(["6"], cast("Site", Asked({"by_room_ids": []}))) == {}
    with pytest.raises(SiteChanged):
        BilibiliAdapter().probe(["6"], cast("Site", Asked({})))
