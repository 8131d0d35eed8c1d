"""Live: what happens is seen at once, in all tabs, over one connection."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.web.conftest import House, NewVisitor, Visitor, accessible

from ouzel.model.users import Role

pytestmark = pytest.mark.needs_chromium


def add_channel(house: House, name: str, *labels: str) -> None:
    """Beside all browsers: what they see of it, an event has told them."""
    body = {"addresses": [f"http://127.0.0.1:9/live/{name}.m3u8"], "name": name, "watch": False, "labels": labels}
    house.ask("POST", "/api/channels", body)


def at_live(house: House, visitor: Visitor, name: str = "root") -> Page:
    page = visitor.open(house.address)
    visitor.sign_in(page, name)
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    expect(page.get_by_role("status", name="Live")).to_be_visible()  # the connection
    return page


def test_a_channel_that_is_added_elsewhere_appears_in_all_tabs_over_one_connection(
    house: House, visitor: Visitor
) -> None:
    first = at_live(house, visitor)
    second = visitor.open(house.address)
    expect(second.get_by_role("status", name="Live")).to_be_visible()

    add_channel(house, "heron")

    for page in (first, second):
        expect(page.get_by_role("article", name="heron")).to_be_visible()
    assert house.listeners() == 1
    first.close()  # it led: the other takes over
    expect(second.get_by_role("status", name="Live")).to_be_visible()
    add_channel(house, "egret")
    expect(second.get_by_role("article", name="egret")).to_be_visible()


def test_a_channel_is_removed_and_brought_back(house: House, visitor: Visitor) -> None:
    add_channel(house, "dipper")
    page = at_live(house, visitor)
    page.get_by_role("button", name="More: dipper").click()
    page.get_by_role("menuitem", name="Remove the channel").click()
    expect(page.get_by_role("article", name="dipper")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article", name="dipper")).to_be_visible()


def test_filters_are_in_the_address_and_the_place_is_kept(house: House, visitor: Visitor) -> None:
    add_channel(house, "kingfisher")
    page = at_live(house, visitor)
    page.get_by_role("textbox", name="Filter channels").fill("kingf")
    expect(page.get_by_role("article")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("textbox", name="Filter channels").fill("nobody is called so")
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("article", name="kingfisher")).to_be_visible()


def test_by_keys_alone(house: House, visitor: Visitor) -> None:
    add_channel(house, "wagtail")
    page = at_live(house, visitor)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search and commands").fill("wagt")
    expect(page.get_by_role("option", name="wagtail")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="wagtail")).to_be_visible()


def test_a_viewer_sees_only_what_is_theirs_and_nothing_to_do_with_it(house: House, visitor: Visitor) -> None:
    house.add_user("vera", Role.VIEWER, "river")
    add_channel(house, "otter", "river")
    add_channel(house, "fox", "wood")
    page = at_live(house, visitor, "vera")
    expect(page.get_by_role("article", name="otter")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("button", name="Add a channel")).to_have_count(0)
    expect(page.get_by_role("button", name="More: otter")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_it(house: House, visitors: NewVisitor, language: str, colours: str) -> None:
    add_channel(house, f"{language}-{colours}", "news")
    visitor = visitors(color_scheme=colours)
    page = at_live(house, visitor)
    if language == "zh":
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="中文").click()
        expect(page.get_by_role("heading", name="直播")).to_be_visible()
    assert accessible(page) == []
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    assert accessible(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"{language}-{colours}", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert accessible(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    assert accessible(page) == []
