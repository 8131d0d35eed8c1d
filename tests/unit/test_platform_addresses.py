"""Which platform an address belongs to, however it is spelt."""

from __future__ import annotations

import pytest

from ouzel.platforms.contract import Platform
from ouzel.platforms.registry import Registry, read_head
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
        ("a.example/{room:int}", "https://a.example/１２", None),
        ("a.example/{room:int}", "https://a.example/%31%32", {"room": "12"}),
        ("a.example/{room:word}", "https://a.example/a-B_9", {"room": "a-B_9"}),
        ("a.example/{room:word}", "https://a.example/a.b", None),
        ("a.example/@{user}", "https://a.example/%40me", {"user": "me"}),
        ("a.example/{user}", "https://a.example/a%2Fb", None),
        ("a.example/{user}", "https://a.example/a%3fb", None),
        ("a.example/{user}", "https://a.example/..", None),
        ("a.example/{user}", "https://a.example/100%25", None),
        ("a.example/{user}", "https://a.example/a%zz", None),
        ("a.example/{user}", "https://a.example/%FF", None),
        ("a.example/{seal:any}", "https://a.example/a%2Fb%3D", {"seal": "a/b="}),
        ("a.example/x?id={id}", "https://a.example/x?id=a%2Fb", None),
        ("a.example/x?id={id:any}", "https://a.example/x?id=a%2Fb", {"id": "a/b"}),
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
