"""Dailymotion: what one answer tells of many channels."""

from __future__ import annotations

import json
from typing import cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.dailymotion import DailymotionAdapter


def said(doc: object) -> Site:
    """A site that answers this to whatever it is asked."""

    class Canned:
        def get(self, url: str, **_given: object) -> Reply:
            return Reply(200, url, "application/json", json.dumps(doc), {}, {})

    return cast("Site", Canned())


def test_one_question_answers_for_all() -> None:
    on = {"id": "x1", "title": "Birds TV", "onair": True, "owner.screenname": "Some Body"}
    off = {"id": "x2", "title": "Cats TV", "onair": False, "owner.screenname": "Other"}

    found = DailymotionAdapter().probe(["x1", "x2", "x3"], said({"list": [on, off]}))

    assert found == {
        "x1": Peek(live=True, title="Birds TV", anchor="Some Body"),
        "x2": Peek(live=False, title="Cats TV", anchor="Other"),
    }


@pytest.mark.parametrize("doc", [{}, {"list": [{"id": "x1"}]}])
def test_an_answer_of_another_shape_is_not_offline(doc: object) -> None:
    with pytest.raises(SiteChanged):
        DailymotionAdapter().probe(["x1"], said(doc))
