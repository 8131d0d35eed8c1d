"""Which platform an address belongs to, however it is spelt."""

from __future__ import annotations

import pytest

from ouzel.base.errors import BadUrl
from ouzel.platforms.contract import Platform
from ouzel.platforms.registry import Registry, read_head, registry, tidy
from ouzel.platforms.templates import parse_template

SHOP = Platform(
    name="shop",
    title="Shop",
    title_zh="商店",
    urls=("live.shop.{}/share?session={id:int}", "shop.example/@{user}/live", "shop.example/{lang}/room/{id}/{..}"),
    short=("s.example/{code}",),
    example="https://live.shop.tw/share?session=7",
    chain=("own",),
)


@pytest.mark.parametrize(
    ("template", "url", "named"),
    [
        ("a.example/{user}", "https://a.example/me", {"user": "me"}),
        ("a.example/{user}", "https://www.a.example/me/", {"user": "me"}),
        ("a.example/{user}", "http://m.a.example/me?x=1#y", {"user": "me"}),
        ("a.example/{user}", "https://a.example/me/videos", None),
        ("a.example/{user}", "https://b.a.example/me", None),
        ("a.example/{user}", "https://a.example.evil.test/me", None),
        ("a.example/{user}", "https://a.example/%E4%BA%BA", {"user": "人"}),
        ("a.example/{room:int}", "https://a.example/12", {"room": "12"}),
        ("a.example/{room:int}", "https://a.example/12a", None),
        ("a.example/@{user}/live", "https://a.example/@me/live", {"user": "me"}),
        ("a.example/@{user}/live", "https://a.example/me/live", None),
        ("a.example/x?id={id}&k=v", "https://a.example/x?z=1&k=v&id=9", {"id": "9"}),
        ("a.example/x?id={id}", "https://a.example/x", None),
        ("a.example/x?id={id}", "https://a.example/x#/room?id=9", {"id": "9"}),
        ("live.{}/r/{id}", "https://live.shop/r/5", {"id": "5"}),
        ("live.{..}/r/{id}", "https://live.shop.co.th/r/5", {"id": "5"}),
        ("a.example/{id}/{..}", "https://a.example/5", {"id": "5"}),
        ("a.example/{id}/{..}", "https://a.example/5/a/b", {"id": "5"}),
    ],
)
def test_templates(template: str, url: str, named: dict[str, str] | None) -> None:
    assert parse_template(template).match(url) == named


@pytest.mark.parametrize("text", ["", "https://a.example/x", "/x"])
def test_what_is_no_template(text: str) -> None:
    with pytest.raises(ValueError, match="not a template"):
        parse_template(text)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("live.bilibili.com/32", "https://live.bilibili.com/32"),
        ("  https://live.bilibili.com/32 \n", "https://live.bilibili.com/32"),
        ("https:/live.bilibili.com/32", "https://live.bilibili.com/32"),
        ("//live.bilibili.com//32", "https://live.bilibili.com/32"),
        ("https://live.bilibili.com/32，主播: 某人", "https://live.bilibili.com/32"),
        ("https://live.bilibili.com/32主播: 某人", "https://live.bilibili.com/32"),
        ("https://live.bilibili.com/32,主播: a，主播: a", "https://live.bilibili.com/32"),
        ("HTTPS://LIVE.Bilibili.com./32", "https://live.bilibili.com/32"),
        ("https://live.bilibili.com:443/32", "https://live.bilibili.com/32"),
        ("rtmp://host/app/key", "rtmp://host/app/key"),
    ],
)
def test_damaged_addresses_are_read_as_they_were_meant(given: str, url: str) -> None:
    assert tidy(given) == url


@pytest.mark.parametrize("given", ["", "https://", "https://[::1", "https://host:port/x", "x" * 10_000])
def test_what_is_no_address_at_all(given: str) -> None:
    with pytest.raises(BadUrl):
        tidy(given)


def test_a_page_is_found_in_its_usual_form() -> None:
    shops = Registry([SHOP])
    found = shops.find("live.shop.co/share?utm=1&session=7&x=")
    assert found is not None
    assert (found.platform.name, found["id"]) == ("shop", "7")
    user = shops.find("http://m.shop.example/@me/live?from=app")
    assert user is not None
    assert user.url == "https://shop.example/@me/live"
    assert shops.find("https://shop.example/zh/room/5/extra") is not None
    assert shops.find("https://s.example/abc") is None
    assert shops.find_short("https://s.example/abc") is not None


def test_why_an_address_is_unknown() -> None:
    known = registry()
    assert "letters of another alphabet" in str(known.unknown("https://www.twіtch.tv/somebody"))
    assert "`ouzel platforms`" in str(known.unknown("https://example.org/live"))
    assert "one looks like https://live.bilibili.com/" in str(known.unknown("https://live.bilibili.com/all"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("X = 1\n", "does not begin"),
        (
            (
                'PLATFORM = Platform(\n    name="other",\n    title="",\n    title_zh="",\n'
                '    urls=(),\n    example="",\n    chain=(),\n)\n'
            ),
            "declares",
        ),
        ("PLATFORM = Platform(\n    name=open('x'),\n)\n", "malformed"),
    ],
)
def test_a_head_that_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_head("some.py", text)
