"""The page behind the first start's link, in a browser: an account is made, its cookies count, and no other site can use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from tests.e2e.browser import Browser, find_chromium, open_browser
from tests.served import PASSWORD, Served, listening_server, open_served

from ouzel.api.page import setup_link

pytestmark = pytest.mark.needs_chromium
_FILL = """
(async () => {
  const form = document.querySelector("form"), status = document.querySelector("[role=status]");
  form.elements.name.value = NAME;
  form.elements.password.value = PASSWORD;
  const told = new Promise((done) => new MutationObserver(() => done(status.textContent))
    .observe(status, { childList: true }));
  form.querySelector("button").click();
  return await told;
})()
"""
_ASK = "fetch(ADDRESS, {method: 'POST', credentials: 'include', headers: HEADERS, body: '{\"name\": \"key\"}'})"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium")
    with open_browser(program, tmp_path / "chromium") as running:
        yield running


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, Served]]:
    """Its address, the link, and the app."""
    opened = open_served(tmp_path, empty=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opened) as app:
        server = listening_server(app.app)
        token = portal.call(app.services.auth.setup_token) or ""
        with portal.wrap_async_context_manager(server) as address:
            yield address, setup_link(address, token), app


def test_the_first_account_is_made_in_a_browser(served: tuple[str, str, Served], browser: Browser) -> None:
    address, link, _ = served
    with browser.page(link) as page:
        weak = _FILL.replace("NAME", "'root'").replace("PASSWORD", "'short'")
        assert "5 characters; 12 are needed" in browser.evaluate(page, weak)
        done = browser.evaluate(page, _FILL.replace("NAME", "'root'").replace("PASSWORD", f"'{PASSWORD}'"))
        assert "is made" in done or "已创建" in done
        assert browser.evaluate(page, "location.hash") == ""
        assert browser.evaluate(page, "document.cookie").startswith("ouzel_csrf=")
        assert browser.evaluate(page, "fetch('/api/auth/me').then(each => each.json()).then(me => me.role)") == "admin"
        asked = _ASK.replace("ADDRESS", "'/api/keys'").replace("HEADERS", "{'content-type': 'application/json'}")
        assert browser.evaluate(page, f"{asked}.then(each => each.status)") == 201

    elsewhere = address.replace("127.0.0.1", "localhost")  # the same machine, and another site
    with browser.page(f"{elsewhere}/setup") as page:
        asked = _ASK.replace("ADDRESS", f"'{address}/api/keys'").replace("HEADERS", "{'content-type': 'text/plain'}")
        assert browser.evaluate(page, f"{asked}.then(each => 'went', () => 'refused')") == "refused"
    with browser.page(f"{address}/setup") as page:
        listed = "fetch('/api/keys').then(each => each.json()).then(page => page.items.length)"
        assert browser.evaluate(page, listed) == 1
