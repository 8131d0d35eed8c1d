"""Ways in and out: the first run, signing in, what ends a session, and below which path the page works."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.served import PASSWORD
from tests.web.conftest import House, NewVisitor, Visitor, accessible, house_on

from ouzel.model.users import Role

pytestmark = pytest.mark.needs_chromium
REFUSED = "status of 40[13]"


def test_the_first_run_by_the_link_that_the_daemon_prints(empty_house: House, visitor: Visitor) -> None:
    page = visitor.open(empty_house.setup)
    expect(page.get_by_role("radio", name="English")).to_be_checked()
    assert "#" not in page.url  # the token
    assert accessible(page) == []
    page.get_by_role("button", name="Go on").click()

    make = page.get_by_role("button", name="Make the administrator")
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password", exact=True).fill("short")
    expect(make).to_be_disabled()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    make.click()

    expect(page.get_by_text("Recordings go here")).to_be_visible()
    assert accessible(page) == []
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Everything that it needs works")).to_be_visible()
    page.get_by_role("button", name="Go on").click()

    page.get_by_label("Address of the channel").fill("http://127.0.0.1:9/live/harbour.m3u8")
    expect(page.get_by_text("direct", exact=True)).to_be_visible()
    page.get_by_label("Name").fill("Harbour")
    page.get_by_role("button", name="Add a channel").click()
    expect(page.get_by_role("article", name="Harbour")).to_be_visible()
    assert page.context.cookies()


def test_without_the_link_nobody_sets_anything_up(house: House, visitor: Visitor) -> None:
    visitor.forgiven.append(REFUSED)
    page = visitor.open(f"{house.address}/setup")
    expect(page.get_by_text("This needs the link that Ouzel printed")).to_be_visible()

    page = visitor.open(f"{house.address}/setup#guessed")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("mallory")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the administrator").click()
    expect(page.get_by_role("alert")).to_contain_text("may not do that")


def test_a_wrong_password_a_right_one_and_out_again_in_all_tabs(house: House, visitor: Visitor) -> None:
    visitor.forgiven.append(REFUSED)
    page = visitor.open(f"{house.address}/?state=recording")
    visitor.sign_in(page, password="not the password")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong.")

    visitor.sign_in(page)
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    assert page.url.endswith("/?state=recording")  # where the link led
    page.reload()
    expect(page.get_by_role("heading", name="Live")).to_be_visible()

    other = visitor.open(house.address)
    expect(other.get_by_role("heading", name="Live")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    for tab in (page, other):
        expect(tab.get_by_role("button", name="Sign in")).to_be_visible()
    left = {cookie.get("name") for cookie in visitor.context.cookies()}
    assert not left & {"ouzel_access", "ouzel_refresh"}


def test_a_session_that_ends_loses_nothing_that_was_typed(house: House, visitor: Visitor) -> None:
    visitor.forgiven.append(REFUSED)
    page = visitor.open(house.address)
    visitor.sign_in(page)
    page.get_by_role("button", name="Add a channel").first.click()
    page.get_by_label("Address of the channel").fill("http://127.0.0.1:9/live/quay.m3u8")
    expect(page.get_by_text("direct", exact=True)).to_be_visible()
    page.get_by_label("Name").fill("Quay")

    visitor.context.clear_cookies()
    page.get_by_role("dialog").get_by_role("button", name="Add a channel").click()
    again = page.get_by_role("dialog", name="Sign in again")
    again.get_by_label("Password", exact=True).fill(PASSWORD)
    assert accessible(page) == []
    again.get_by_role("button", name="Sign in", exact=True).click()
    expect(again).to_be_hidden()

    expect(page.get_by_label("Name")).to_have_value("Quay")
    page.get_by_role("dialog").get_by_role("button", name="Add a channel").click()
    expect(page.get_by_role("article", name="Quay")).to_be_visible()


def test_below_a_path_of_a_proxy(tmp_path: Path, visitor: Visitor) -> None:
    visitor.forgiven.append("ERR_CONNECTION_REFUSED")  # when the daemon has ended
    with house_on(tmp_path, OUZEL_SERVER__PUBLIC_URL="http://127.0.0.1/tv") as house:
        house.add_user("root", Role.ADMIN)
        page = visitor.open(f"{house.address}/tv/")
        visitor.sign_in(page)
        expect(page.get_by_role("heading", name="Live")).to_be_visible()
        assert page.url == f"{house.address}/tv/"
        page.goto(f"{house.address}/tv/no/such/place")
        expect(page.get_by_text("There is nothing here")).to_be_visible()
        page.get_by_role("link", name="To the start").click()
        page.wait_for_url(f"{house.address}/tv/")


def test_no_other_site_acts_for_who_has_signed_in(house: House, visitor: Visitor) -> None:
    """`localhost` is the same machine, and another site."""
    visitor.forgiven.extend([REFUSED, "status of 415", "blocked by CORS", "ERR_FAILED", "Content Security Policy"])
    page = visitor.open(house.address)
    visitor.sign_in(page)
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    ask = """address => fetch(address, {method: 'POST', credentials: 'include', body: '{"name": "key"}'})
      .then(each => String(each.status), () => 'refused')"""

    assert page.evaluate(ask, "api/keys") == "415"  # it came through, as what it is not
    elsewhere = visitor.open(house.address.replace("127.0.0.1", "localhost"))
    assert elsewhere.evaluate(ask, f"{house.address}/api/keys") == "refused"
    assert page.evaluate("fetch('api/keys').then(each => each.json()).then(each => each.items.length)") == 0


@pytest.mark.parametrize(("locale", "words"), [("en-US", "Sign in"), ("zh-CN", "登录")])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_the_door(house: House, visitors: NewVisitor, locale: str, words: str, colours: str) -> None:
    page = visitors(locale=locale, color_scheme=colours).open(house.address)
    expect(page.get_by_role("button", name=words)).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == colours
    assert accessible(page) == []
