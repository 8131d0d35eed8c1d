"""`make screenshots`: pictures of the screens into docs/screens.

Of a daemon that records two synthetic channels, one of them with a gap.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browser import find_chromium  # noqa: E402 - needs the line above
from tests.served import PASSWORD  # noqa: E402
from tests.web.conftest import House, house_on  # noqa: E402

from ouzel.model.users import Role  # noqa: E402
from ouzel.testing.clips import make_clip  # noqa: E402
from ouzel.testing.origin import LiveOrigin  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
OTHERS = (("Night walk", ["city"]), ("News desk", ["news"]), ("Chess club", ["city", "games"]), ("Forest", ["nature"]))


def main() -> int:
    SCREENS.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        on_air(Path(folder)) as addresses,
        house_on(Path(folder) / "data", OUZEL_WATCH__INTERVAL="10s") as house,
        opened() as browser,
    ):
        entrance(house, browser)
        house.add_user("root", Role.ADMIN)
        for name, address, labels in addresses:
            house.ask("POST", "/api/channels", {"addresses": [address], "name": name, "labels": labels})
        for name, labels in OTHERS:
            away = {"addresses": [f"http://127.0.0.1:9/{name.split()[0]}.m3u8"], "name": name, "labels": labels}
            house.ask("POST", "/api/channels", {**away, "watch": False})
        live(house, browser)
    return 0


def entrance(house: House, browser: Browser) -> None:
    for colours in ("light", "dark"):
        page = tab(browser, colours, "wide")
        page.goto(house.setup)
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        shoot(page, f"setup-{colours}")
        page.goto(f"{house.address}/sign-in")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        shoot(page, f"sign-in-{colours}")
        page.context.close()


def live(house: House, browser: Browser) -> None:
    for colours in ("light", "dark"):
        for size in SIZES:
            page = tab(browser, colours, size)
            page.goto(house.address)
            page.get_by_label("Name").fill("root")
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            gap = page.get_by_role("article", name="Harbour camera").get_by_text("missing")
            expect(gap).to_be_visible(timeout=90_000)
            page.wait_for_timeout(1500)
            shoot(page, f"live-{size}-{colours}")
            page.context.close()


@contextmanager
def on_air(folder: Path) -> Iterator[list[tuple[str, str, list[str]]]]:
    clip = make_clip(folder, seconds=60, size="640x360", gop_s=2)

    async def begin(origin: LiveOrigin) -> list[str]:
        first = origin.channel("harbour", clip, speed=1)
        second = origin.channel("river", clip, speed=1)
        origin.on(f"seg{first.segments + 4}.ts").status(404)
        await anyio.lowlevel.checkpoint()
        return [first.url, second.url]

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(LiveOrigin()) as origin:
        harbour, river = portal.call(begin, origin)
        yield [("Harbour camera", harbour, ["city", "water"]), ("River mouth", river, ["water"])]


@contextmanager
def opened() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--no-first-run"])
        yield browser
        browser.close()


def tab(browser: Browser, colours: str, size: str) -> Page:
    width, height = SIZES[size]
    return browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if colours == "dark" else "light",
        locale="en-US",
    )


def shoot(page: Page, name: str) -> None:
    page.screenshot(path=SCREENS / f"{name}.png", animations="disabled")
    print(f"docs/screens/{name}.png")


if __name__ == "__main__":
    sys.exit(main())
