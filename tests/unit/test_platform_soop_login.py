"""SOOP signs in where a room wants an account, once."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ouzel.base.errors import NeedsLogin
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Options
from ouzel.platforms.sites import soop
from ouzel.platforms.watch import Watch


class Door(Site):
    """Lets in whoever has today's ticket, which is given for the password."""

    def __init__(self, password: str) -> None:
        super().__init__(Watch(), Options())
        self.password, self.today, self.asked = password, 1, list[str]()

    def post(self, url: str, *, form: Any = None, headers: Any = None, **_given: Any) -> Reply:
        self.asked.append(form.get("type") or form["szWork"])
        if "LoginAction" in url:
            right = form["szPassword"] == self.password
            cookies = {"AuthTicket": str(self.today)} if right else {}
            return Reply(200, url, "", json.dumps({"RESULT": 1 if right else -1}), cookies, {})
        known = (headers or {}).get("Cookie") == f"AuthTicket={self.today}"
        return Reply(200, url, "", json.dumps({"CHANNEL": {"RESULT": 1 if known else -6}}), {}, {})


def player(door: Door, **given: str) -> object:
    return soop.ask_player(door, Options(**cast("Any", given)), "somebody", "live")


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


def test_the_ticket_is_used_again_and_one_that_is_refused_is_replaced_once() -> None:
    door = Door("sesame")
    player(door, login="me", password="sesame")
    player(door, login="me", password="sesame")
    assert door.asked == ["live", "login", "live", "live", "live"]
    door.asked.clear()
    door.today = 2
    assert player(door, login="me", password="sesame") == {"RESULT": 1}
    assert door.asked == ["live", "live", "login", "live"]
