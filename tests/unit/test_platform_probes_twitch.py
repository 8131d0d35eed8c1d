"""Many channels of Twitch in one question."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ouzel.base.errors import ServerTrouble
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.sites.twitch import TwitchAdapter


class Asked:
    """A site that answers one thing."""

    def __init__(self, answer: object) -> None:
        self.options, self.answer, self.bodies = Options(), answer, list[Any]()

    def post(self, url: str, *, body: object, headers: object) -> Reply:
        self.bodies.append(body)
        return Reply(200, url, "application/json", json.dumps(self.answer), {}, {})


def test_each_is_told_of_under_the_name_that_was_asked_for() -> None:
    asked = Asked(
        {
            "data": {
                "users": [
                    {
                        "login": "on",
                        "displayName": "On",
                        "broadcastSettings": {"title": "Birds"},
                        "stream": {"id": "1"},
                    },
                    {"login": "off", "displayName": "Off", "broadcastSettings": None, "stream": None},
                    None,
                ]
            }
        }
    )

    told = TwitchAdapter().probe(["ON", "off", "nobody"], cast("Site", asked))

    assert told == {"ON": Peek(True, "Birds", "On"), "off": Peek(False, "", "Off")}
    assert [body["variables"] for body in asked.bodies] == [{"logins": ["on", "off", "nobody"]}]


def test_a_channel_is_not_offline_because_a_service_behind_is_late() -> None:
    late = {
        "data": {"users": [{"login": "on", "displayName": "On", "broadcastSettings": None, "stream": None}]},
        "errors": [{"message": "service timeout", "path": ["users", 0, "stream"]}],
    }
    with pytest.raises(ServerTrouble):
        TwitchAdapter().probe(["on"], cast("Site", Asked(late)))
