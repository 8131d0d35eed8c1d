"""pixiv Sketch: what one answer tells of many channels."""

from __future__ import annotations

import json
from typing import cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.pixiv_sketch import PixivSketchAdapter


def said(doc: object) -> Site:
    """A site that answers this to whatever it is asked."""

    class Canned:
        def get(self, url: str, **_given: object) -> Reply:
            return Reply(200, url, "application/json", json.dumps(doc), {}, {})

    return cast("Site", Canned())


def test_one_question_answers_for_all() -> None:
    doc = {
        "data": {
            "lives": [{"id": "42", "name": "Birds", "owner": {"user": {"unique_name": "SomeBody", "name": "S. Body"}}}]
        }
    }

    found = PixivSketchAdapter().probe(["somebody", "other"], said(doc))

    assert found == {"somebody": Peek(live=True, title="Birds", anchor="S. Body"), "other": Peek(live=False)}


def test_a_list_that_may_be_cut_off_tells_nothing() -> None:
    one = {"id": "42", "owner": {"user": {"unique_name": "x", "name": "x"}}}
    with pytest.raises(SiteChanged):
        PixivSketchAdapter().probe(["somebody"], said({"data": {"lives": [one] * 500}}))
