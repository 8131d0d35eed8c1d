"""Sums that sites want with a question, held against ones that their own scripts made."""

from __future__ import annotations

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.sites import haixiu, migu, taobao


def test_haixiu_signs_as_the_script_of_its_page() -> None:
    asked = {"accessToken": "pLXSC%252FXJ", "tku": "3000006", "c": "10138100100000", "_st1": 1728621076958, "empty": ""}
    assert haixiu.signature(asked) == "a85d0593e483fa4e44fee3fe6198e92a"


def test_taobao_signs_with_the_first_part_of_the_token() -> None:
    whole = taobao.signature("abc_1795320000000", 1795320000000, '{"liveId":"1"}')
    assert whole == taobao.signature("abc", 1795320000000, '{"liveId":"1"}')
    assert whole != taobao.signature("", 1795320000000, '{"liveId":"1"}')


def test_migu_takes_what_it_was_told_from_both_ends() -> None:
    assert migu.calcu({"puData": "0123456789abcdef"}, "934567890") == "f0e1vd2ac3kb4aa59687"


@pytest.mark.parametrize(("query", "part"), [({}, "934567890"), ({"puData": "0123"}, "12")])
def test_migu_does_not_sign_what_it_does_not_know(query: dict[str, str], part: str) -> None:
    with pytest.raises(SiteChanged):
        migu.calcu(query, part)
