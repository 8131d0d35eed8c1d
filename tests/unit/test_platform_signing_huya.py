"""The signature of an address of Huya, against one that was worked out by hand."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, quote

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.sites.huya import Signer

NOW = 1_795_000_000.0
UID = 1_400_000_000_123


def anti_code(template: str, *, ends: int = 1_795_086_400, more: str = "") -> str:
    fm = quote(base64.b64encode(template.encode()).decode(), safe="")
    return f"wsSecret=old&wsTime={ends:x}&fm={fm}&ctype=huya_live&fs=bgct&t=100{more}"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_every_hole_of_the_template_is_filled() -> None:
    query = dict(parse_qsl(Signer(UID, NOW).sign(anti_code("prefix_$0_$1_$2_$3"), "1-2-3-stream")))

    number = UID + int(NOW * 1000) + 1
    low = UID & 0xFFFFFFFF
    turned = (UID >> 32 << 32) + ((low << 8 | low >> 24) & 0xFFFFFFFF)
    mark = md5(f"{number}|huya_live|100")
    assert query["seqid"] == str(number)
    assert query["u"] == str(turned)
    assert query["wsTime"] == f"{1_795_086_400:x}"
    assert query["wsSecret"] == md5(f"prefix_{turned}_1-2-3-stream_{mark}_{1_795_086_400:x}")
    assert "fm" not in query


def test_the_order_of_the_holes_is_the_template_s() -> None:
    query = dict(parse_qsl(Signer(UID, NOW).sign(anti_code("$3|$1|$0|$2|end"), "name")))
    mark = md5(f"{query['seqid']}|huya_live|100")
    assert query["wsSecret"] == md5(f"{query['wsTime']}|name|{query['u']}|{mark}|end")


def test_no_two_addresses_have_the_same_number() -> None:
    signer = Signer(UID, NOW)
    signed = {dict(parse_qsl(signer.sign(anti_code("$0_$1_$2_$3"), "name")))["seqid"] for _ in range(50)}
    assert len(signed) == 50


def test_what_is_signed_already_stays_as_it_is() -> None:
    assert (
        Signer(UID, NOW).sign("wsSecret=a&amp;wsTime=6b0c8880&amp;t=100", "name") == "wsSecret=a&wsTime=6b0c8880&t=100"
    )


@pytest.mark.parametrize(
    "given",
    [
        anti_code("prefix_$0_$1_$2"),
        anti_code("prefix_$0_$1_$2_$3", ends=int(NOW) - 301),
        "fm=%%%&wsTime=6b0c8880",
        "fm=JDA%3D&wsTime=soon",
    ],
    ids=["a hole is missing", "it is over", "no base64", "no time"],
)
def test_another_kind_of_template_is_said_to_be_one(given: str) -> None:
    with pytest.raises(SiteChanged):
        Signer(UID, NOW).sign(given, "name")


def test_streamlink_signs_it_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlink.plugins import huya

    monkeypatch.setattr(huya.random, "randint", lambda _low, _high: 12_345_678)
    monkeypatch.setattr(huya.time, "time", lambda: NOW)
    code, name = anti_code("DWq8BcJ3h6DJt6TY_$0_$1_$2_$3"), "7-7-stream-10057-A-0-1"
    given = dict(parse_qsl(code))
    theirs = huya.Huya._get_stream_params(
        huya.Huya,  # type: ignore[arg-type]
        quote(given["fm"]),
        given["fs"],
        given["ctype"],
        given["wsTime"],
        name,
        0,
    )

    signer = Signer(12_345_678, NOW, -1)  # streamlink does not count
    ours = dict(parse_qsl(signer.sign(code, name)))

    assert {key: ours[key] for key in ("wsSecret", "wsTime", "seqid", "u", "ctype", "fs", "t", "ver")} == {
        key: str(theirs[key]) for key in ("wsSecret", "wsTime", "seqid", "u", "ctype", "fs", "t", "ver")
    }
