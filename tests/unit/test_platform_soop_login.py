"""SOOP signs in where a room wants an account, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from ouzel.base.errors import NeedsLogin
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options
from ouzel.platforms.sites import soop


class Door:
    """Lets nobody in, or whoever has signed in."""

    def __init__(self, password: str) -> None:
        self.password, self.open, self.asked = password, False, list[str]()

    def post(self, url: str, *, form: Mapping[str, str], **_given: Any) -> Reply:
        self.asked.append(form.get("type") or form["szWork"])
        if "LoginAction" in url:
            self.open = form["szPassword"] == self.password
            return Reply(200, url, "", json.dumps({"RESULT": 1 if self.open else -1}), {}, {})
        return Reply(200, url, "", json.dumps({"CHANNEL": {"RESULT": 1 if self.open else -6}}), {}, {})


def player(door: Door, **given: str) -> object:
    return soop.ask_player(cast("Site", door), Options(**cast("Any", given)), "somebody", "live")


def test_it_signs_in_and_asks_again() -> None:
    door = Door("sesame")
    assert player(door, login="me", password="sesame") == {"RESULT": 1}
    assert door.asked == ["live", "login", "live"]


def test_a_wrong_password_is_told() -> None:
    door = Door("sesame")
    with pytest.raises(NeedsLogin, match="does not let the account in"):
        player(door, login="me", password="open up")
    assert door.asked == ["live", "login"]


def test_without_an_account_it_does_not_try() -> None:
    door = Door("sesame")
    with pytest.raises(NeedsLogin, match="adults"):
        player(door)
    assert door.asked == ["live"]
