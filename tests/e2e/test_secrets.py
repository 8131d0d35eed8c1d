"""What the user entrusts to us appears nowhere: in nothing that is told or written, in no child's arguments or environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import anyio
import anyio.lowlevel
import pytest
from tests.command import environment
from tests.e2e.processes import children, needs_proc

from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
PAGE = "https://play.sooplive.com/somebody"
COOKIE, PASSWORD, PROXY = "c00kie+s3cret/value", "passw0rd s3cret&more", "pr0xy=s3cret"
SECRETS = [
    form for word in (COOKIE, PASSWORD, PROXY) for form in {word, quote(word, safe=""), quote_plus(word), quote(word)}
]
PROXIED = f"http://me:{quote(PROXY, safe='')}@127.0.0.1"
LOGIN = "POST login.sooplive.com/*"
STATION = read_case(DATA / "soop" / "own" / "login.toml").answers


def echo(word: str, secret: str) -> str:
    """A page that tells a visitor what he has sent."""
    told = " ".join({secret, quote(secret), quote(secret, safe=""), quote_plus(secret), PROXY, quote(PROXY, safe="")})
    return f"<html>{word} {told}</html>"


# what the site answers, or None: there is no way to it; and whether cookies or the account are used
FAILURES: dict[str, tuple[list[PlannedAnswer] | None, str]] = {
    "captcha": ([PlannedAnswer("*", echo("captcha", COOKIE), type="text/html", status=403)], "cookies"),
    "no-account": ([*STATION, PlannedAnswer(LOGIN, f'{{"RESULT": -1, "message": "{PASSWORD}"}}')], "account"),
    "no-login-page": ([*STATION, PlannedAnswer(LOGIN, echo("captcha", PASSWORD), type="text/html")], "account"),
    "no-proxy": (None, "cookies"),
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        yield server


def setting(folder: Path, port: int, access: str) -> Path:
    """The settings file: half of the cookies in it, or an account."""
    (folder / "word").write_text(PASSWORD + "\n")
    account = 'login = "me"\npassword_file = "word"' if access == "account" else f'cookies = "AuthTicket={COOKIE}; b=c"'
    path = folder / "ouzel.toml"
    path.write_text(f'[platforms.soop]\nproxy = "{PROXIED}:{port}"\n{account}\n')
    return path


def surroundings(server: PlatformServer) -> dict[str, str]:
    return environment({"SSL_CERT_FILE": str(server.ca_file), "OUZEL_PASSWORD": PASSWORD})


def shown(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("how", ["-v", "--json"])
@pytest.mark.parametrize("command", ["resolve", "record"])
@pytest.mark.parametrize(("answers", "access"), FAILURES.values(), ids=FAILURES)
async def test_nothing_is_told_where_something_fails(
    server: PlatformServer, tmp_path: Path, command: str, how: str, answers: list[PlannedAnswer] | None, access: str
) -> None:
    server.play(answers or [])
    config = setting(tmp_path, server.port if answers is not None else 1, access)
    out = tmp_path / "out"
    words = [
        command,
        PAGE,
        "--config",
        str(config),
        how,
        *(["-o", f"{out}/"] if command == "record" else ["--all-adapters"]),
    ]
    with anyio.fail_after(90):
        done = await anyio.run_process(
            [sys.executable, "-m", "ouzel", *words], env=surroundings(server), cwd=tmp_path, check=False
        )
    assert done.returncode not in (0, 2, 70), done
    told = done.stdout.decode() + done.stderr.decode()
    assert shown(told) == [], told
    written = [await path.read_bytes() async for path in anyio.Path(out).rglob("*") if await path.is_file()]
    assert shown(b"".join(written).decode("latin-1")) == []


@pytest.mark.parametrize("command", ["resolve", "record"])
@pytest.mark.parametrize(
    "text",
    [
        f"[platforms.soop]\npasword = '{PASSWORD}'",
        f"[platforms.soop]\nlogin = 'me'\npassword = {PASSWORD}",
        f"[platforms.soop]\nproxy = 'me:{PROXY}@h:1'",
        f"[platforms.soop]\nproxy = 'http://me:{PROXY}@h:x'",
        f"[platforms.soop]\ncookies = 'a={COOKIE}; {PASSWORD}'",
        "[platforms.soop]\ncookies = 'c.txt'",
    ],
    ids=["key", "toml", "proxy", "port", "header", "file"],
)
def test_nothing_is_told_of_what_cannot_be_read(tmp_path: Path, command: str, text: str) -> None:
    (tmp_path / "c.txt").write_text(f".sooplive.com\tTRUE\t/\tFALSE\t0\t{COOKIE}\n{PASSWORD}\n")
    (tmp_path / "ouzel.toml").write_text(text)
    words = [command, PAGE, "--config", "ouzel.toml", "-v"]
    done = subprocess.run(
        [sys.executable, "-m", "ouzel", *words],
        env=environment(),
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ouzel: error: ")
    assert shown(done.stdout + done.stderr) == []


@needs_proc
async def test_no_child_has_them_in_its_arguments_or_its_environment(server: PlatformServer, tmp_path: Path) -> None:
    """While a site does not answer."""
    server.play([])
    server.silent = True
    config = setting(tmp_path, server.port, "account")
    (tmp_path / "c.txt").write_text(f"a={COOKIE}")
    words = ["resolve", PAGE, "--config", str(config), "--cookies", str(tmp_path / "c.txt")]
    env = surroundings(server)
    async with await anyio.open_process([sys.executable, "-m", "ouzel", *words], env=env, cwd=tmp_path) as process:
        with anyio.fail_after(60):
            while not (found := children(process.pid)):
                await anyio.lowlevel.checkpoint()
        for pid, arguments in {process.pid: words, **found}.items():
            assert shown(" ".join(arguments)) == []
            surrounded = await anyio.Path(f"/proc/{pid}/environ").read_bytes()
            assert pid == process.pid or shown(surrounded.decode("latin-1")) == []
        process.terminate()
