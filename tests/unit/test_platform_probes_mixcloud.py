"""Mixcloud: what one answer tells of many channels."""

from __future__ import annotations

import json
from typing import cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.mixcloud import MixcloudAdapter


def said(doc: object) -> Site:
    """A site that answers this to whatever it is asked."""

    class Canned:
        def post(self, url: str, **_given: object) -> Reply:
            return Reply(200, url, "application/json", json.dumps(doc), {}, {})

    return cast("Site", Canned())


def test_one_question_answers_for_all() -> None:
    live = {
        "id": "a",
        "displayName": "Some Body",
        "liveStream": {"name": "Birds", "streamStatus": "LIVE", "hlsUrl": "x"},
    }
    over = {"id": "b", "displayName": "Other", "liveStream": {"name": "", "streamStatus": "ENDED", "hlsUrl": None}}

    found = MixcloudAdapter().probe(
        ["somebody", "other", "nobody"], said({"data": {"u0": live, "u1": over, "u2": None}})
    )

    assert found == {
        "somebody": Peek(live=True, title="Birds", anchor="Some Body"),
        "other": Peek(live=False, title="", anchor="Other"),
    }


def test_a_name_without_an_answer_is_not_offline() -> None:
    with pytest.raises(SiteChanged):
        MixcloudAdapter().probe(["somebody"], said({"data": {}}))
