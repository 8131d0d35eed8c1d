"""The page in Debian's Chromium, before the real daemon. Errors of the console and of scripts fail a test, and
breaches of the policy are such."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from tests.command import environment
from tests.e2e.browser import find_chromium
from tests.served import PASSWORD

from ouzel.model.users import Role
from ouzel.services.secrets import load_secrets
from ouzel.services.tokens import Tokens
from ouzel.system.clock import SystemClock

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_OPTIONS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"]
_WAIT_MS = 8_000


@dataclass(frozen=True, slots=True)
class House:
    """A daemon in a child, and a way to speak to it beside all browsers: as the command line on its machine does."""

    address: str
    setup: str
    """The link that it has printed; empty: somebody is there already."""
    token: Callable[[], str]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"authorization": f"Bearer {self.token()}"}
        answer = httpx.request(method, self.address + path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def add_user(self, name: str, role: Role, *labels: str) -> None:
        self.ask("POST", "/api/users", {"name": name, "password": PASSWORD, "role": role, "labels": labels})

    def listeners(self) -> int:
        """How many event streams are open."""
        found = re.search(r"^ouzel_event_listeners ([0-9.]+)", self.ask("GET", "/metrics"), re.MULTILINE)
        assert found is not None
        return round(float(found[1]))


@dataclass
class Visitor:
    """A browser of one person. What went wrong in its tabs is noted."""

    context: BrowserContext
    troubles: list[str] = field(default_factory=list[str])
    forgiven: list[str] = field(default_factory=list[str])
    """Patterns of console errors that are part of what is tested."""

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(_WAIT_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.goto(address)
        return page

    def sign_in(self, page: Page, name: str = "root", password: str = PASSWORD) -> None:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"{message.text} ({message.location.get('url')})")

    def left(self) -> list[str]:
        return [each for each in self.troubles if not any(re.search(known, each) for known in self.forgiven)]


NewVisitor: TypeAlias = Callable[..., Visitor]


@contextmanager
def house_on(folder: Path, **variables: str) -> Iterator[House]:
    told = {"OUZEL_STORAGE__DATA": str(folder), "OUZEL_STORAGE__MIN_FREE": "1KiB", **variables}
    command = [sys.executable, "-m", "ouzel", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, env=environment(told), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            ready = json.loads(child.stdout.readline())
            tokens = Tokens(load_secrets(folder / "secret.key"), SystemClock(), life_s=60.0)
            yield House(ready["address"], ready["setup"] or "", tokens.local)
        finally:
            child.terminate()


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Of the sources that are there: built once, and not again while nothing changes."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "page.py")], capture_output=True, text=True, check=False
    )
    if "Node.js" in done.stderr and done.returncode:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With an administrator called `root`."""
    with house_on(tmp_path_factory.mktemp("house")) as house:
        house.add_user("root", Role.ADMIN)
        yield house


@pytest.fixture
def empty_house(tmp_path: Path) -> Iterator[House]:
    """With nobody in it."""
    with house_on(tmp_path / "house") as house:
        yield house


@pytest.fixture
def visitors(browser: Browser) -> Iterator[NewVisitor]:
    """Makes browsers of persons: `visitors(locale="zh-CN", color_scheme="dark")`."""
    made: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options})
        made.append(Visitor(context))
        return made[-1]

    yield make
    for each in made:
        each.context.close()
    assert [line for each in made for line in each.left()] == []


@pytest.fixture
def visitor(visitors: NewVisitor) -> Visitor:
    return visitors()


def accessible(page: Page) -> list[str]:
    """What axe finds that keeps somebody out: its serious and critical findings."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
