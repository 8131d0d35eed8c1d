"""Odysee: what one answer tells of many channels."""

from __future__ import annotations

import json
from typing import cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.odysee import OdyseeAdapter


def said(doc: object) -> Site:
    """A site that answers this to whatever it is asked."""

    class Canned:
        def get(self, url: str, **_given: object) -> Reply:
            return Reply(200, url, "application/json", json.dumps(doc), {}, {})

    return cast("Site", Canned())


def test_one_question_answers_for_all() -> None:
    lives = [{"ChannelClaimID": "7a", "Live": True}, {"ChannelClaimID": "8b", "Live": False}]

    found = OdyseeAdapter().probe(["7a", "8b", "9c"], said({"success": True, "error": None, "data": lives}))

    assert found == {"7a": Peek(live=True), "8b": Peek(live=False), "9c": Peek(live=False)}


@pytest.mark.parametrize(
    "doc",
    [{"success": None}, {"success": True, "data": None}, {"success": True, "data": ["7a"]}, {"success": False}],
)
def test_an_answer_of_another_shape_is_not_offline(doc: object) -> None:
    with pytest.raises(SiteChanged):
        OdyseeAdapter().probe(["7a"], said(doc))
