"""GoodGame: what one answer tells of many channels."""

from __future__ import annotations

import json
from typing import cast

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Peek
from ouzel.platforms.sites.goodgame import GoodGameAdapter


def said(doc: object) -> Site:
    """A site that answers this to whatever it is asked."""

    class Canned:
        def get(self, url: str, **_given: object) -> Reply:
            return Reply(200, url, "application/json", json.dumps(doc), {}, {})

    return cast("Site", Canned())


def test_one_question_answers_for_all() -> None:
    doc = {
        "5": {"stream_id": "5", "key": "Miker", "title": "XCOM", "status": "Live"},
        "1644": {"stream_id": "1644", "key": "1644", "title": "HotS", "status": "Dead"},
    }

    found = GoodGameAdapter().probe(["miker", "1644", "9"], said(doc))

    assert found == {
        "miker": Peek(live=True, title="XCOM", anchor="Miker"),
        "1644": Peek(live=False, title="HotS", anchor="1644"),
    }


def test_channels_that_are_all_unknown_are_missing() -> None:
    assert GoodGameAdapter().probe(["9"], said([])) == {}


@pytest.mark.parametrize("doc", [{"5": {"title": "XCOM"}}, {"5": {"title": "XCOM", "status": "Busy"}}, "no"])
def test_an_answer_of_another_shape_is_not_offline(doc: object) -> None:
    with pytest.raises(SiteChanged):
        GoodGameAdapter().probe(["5"], said(doc))
