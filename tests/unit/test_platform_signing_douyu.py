"""The signature of a question to Douyu."""

from __future__ import annotations

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.sites.douyu import signature

KEY = {"key": "key", "rand_str": "rand", "enc_time": 1, "is_special": 0}


def test_a_question_is_signed_as_the_site_does_it() -> None:
    assert signature(KEY, "123", 1000) == "1834439993932d590bceb2593c1c0cd0"


def test_a_special_key_does_not_depend_on_room_and_time() -> None:
    special = {**KEY, "is_special": 1}
    assert signature(special, "123", 1000) == signature(special, "124", 1001)


@pytest.mark.parametrize(
    "changed", [{"enc_time": 0}, {"enc_time": 10**9}, {"key": None}], ids=["none", "many", "no key"]
)
def test_a_key_of_another_kind_is_said_to_be_one(changed: dict[str, object]) -> None:
    with pytest.raises(SiteChanged):
        signature({**KEY, **changed}, "123", 1000)


@pytest.mark.parametrize("special", [0, 1])
def test_streamlink_signs_it_the_same_way(special: int) -> None:
    from streamlink.plugins.douyu import Douyu

    key = {"key": "k9", "rand_str": "r4", "enc_time": 5, "is_special": special}
    assert signature(key, "9999", 1795000000) == Douyu._compute_auth("9999", 1795000000, "k9", "r4", 5, special)
