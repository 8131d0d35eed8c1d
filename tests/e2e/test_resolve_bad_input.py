"""What people give `ouzel resolve` and `ouzel record` by mistake: a clear line with a stable code, in both languages."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import anyio
import pytest
from tests.command import Done, environment, left_in

from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
LONG = "https://live.bilibili.com/21495945?from=" + "a" * 10_000
SHORT = "https://b23.tv/abc"
HTML = PlannedAnswer("*", "<html>hello</html>", type="text/html")


def leads(place: str, to: str) -> PlannedAnswer:
    return PlannedAnswer(place, status=302, headers={"Location": to})


# what is given, what is answered, the exit code, the code of the error, and words that are shown
CASES: dict[str, tuple[str, Sequence[PlannedAnswer], int, str, str]] = {
    "no such channel": ("https://picarto.tv/x", [PlannedAnswer("*", "{}", status=404)], 25, "channel_gone", "404"),
    "private": ("https://picarto.tv/x", [PlannedAnswer("*", "{}", status=403)], 21, "blocked", "403"),
    "10 kB": (LONG, [], 2, "bad_url", "10040 characters"),
    "homoglyph": ("https://live.bilib\u0456li.com/1", [HTML], 2, "unknown_site", "another alphabet"),
    "short link to itself": (SHORT, [leads("b23.tv/*", SHORT)], 21, "too_many_redirects", "leads to itself"),
    "short link elsewhere": (SHORT, [leads("b23.tv/*", "https://a.example/x"), HTML], 2, "unknown_site", "a.example/x"),
    "short link to nothing": (SHORT, [HTML], 25, "channel_gone", "leads nowhere"),
    "media to itself": ("http://a.example/x.flv", [leads("*", "http://a.example/x.flv")], 21, "too_many_redirects", ""),
    "no channel's page": ("https://www.huya.com/", [HTML], 2, "unknown_site", "https://www.huya.com/660000"),
    "web page": ("https://a.example/about", [HTML], 2, "unknown_site", "a.example is no platform"),
    "empty": ("", [], 2, "bad_url", "empty"),
    "folder": ("./videos", [], 2, "bad_url", "./videos is a file or folder"),
    "nonsense": ("mailto:me@a.example", [], 2, "bad_url", ""),
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        yield server


async def call(server: PlatformServer, *words: str, cwd: Path, language: str = "en") -> Done:
    command = [sys.executable, "-m", "ouzel", *words, "--proxy", server.proxy]
    env = environment({"SSL_CERT_FILE": str(server.ca_file), "OUZEL_LANG": language})
    with anyio.fail_after(90):
        done = await anyio.run_process(command, cwd=cwd, env=env, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(("given", "answers", "exit_code", "code", "words"), CASES.values(), ids=CASES)
async def test_what_is_wrong_is_told_in_both_languages_and_to_programs(
    server: PlatformServer,
    tmp_path: Path,
    given: str,
    answers: Sequence[PlannedAnswer],
    exit_code: int,
    code: str,
    words: str,
) -> None:
    server.play(answers)
    told = await call(server, "resolve", "--json", given, cwd=tmp_path)
    (doc,) = told.events
    assert (told.code, doc.get("code") or doc["error"]["code"]) == (exit_code, code)
    for language, sentence in (("en", ""), ("zh", _sentence(code))):
        done = await call(server, "resolve", given, cwd=tmp_path, language=language)
        shown = done.out + done.err
        assert done.code == exit_code
        if language == "zh" and not given:
            assert "需要地址，而这里是空的" in shown, "the whole sentence is told in Chinese"
        else:
            assert words in shown
            assert sentence in shown
        assert f"({code})" in shown.replace("（", "(").replace("）", ")")
        assert "Traceback" not in shown


def _sentence(code: str) -> str:
    from ouzel.cli.texts.errors import ZH

    return ZH[f"error.{code}"]


@pytest.mark.parametrize(
    ("name", "code", "exit_code"), [("10 kB", "bad_url", 2), ("short link elsewhere", "unknown_site", 2)]
)
async def test_what_is_meant_as_a_page_is_not_recorded_as_something_else(
    server: PlatformServer, tmp_path: Path, name: str, code: str, exit_code: int
) -> None:
    given, answers, *_ = CASES[name]
    server.play(answers)
    done = await call(server, "record", given, "-o", "out/", cwd=tmp_path)
    assert done.err.endswith(f" ({code})\n")
    assert done.code == exit_code
    assert not [name for name in left_in(tmp_path) if name.startswith("out/")]


async def test_cookies_do_not_go_to_who_looks_like_a_platform(server: PlatformServer, tmp_path: Path) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("SESSDATA=abc")
    server.play([HTML])
    for host in ("live.bilib\u0456li.com", "live.bilibli.com", "media.example"):
        await call(server, "resolve", f"https://{host}/1", "--cookies", str(jar), cwd=tmp_path)
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None, "SESSDATA=abc"]


# -- who reads, and who does not -----------------------------------------------------------------------------------------

REFUSED = [f"http://127.0.0.1:1/{number}.flv" for number in range(200)]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "ouzel", *words]


def test_who_reads_one_line_only_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("resolve", *REFUSED), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"http://")
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (21, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_results_for_which_there_is_no_room_are_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("resolve", *REFUSED[:3]),
            cwd=tmp_path,
            env=environment(),
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 5
    assert done.stderr.decode().splitlines()[-1].endswith("(disk_full)")
    assert b"Traceback" not in done.stderr


def test_closed_streams_are_no_error(tmp_path: Path) -> None:
    words = " ".join(command("resolve", REFUSED[0]))
    for closed in ("<&-", ">&-", "<&- >&- 2>&-"):
        done = call_shell(f"{words} {closed}", tmp_path)
        assert done.returncode == 21
        assert b"Traceback" not in done.stderr


def call_shell(line: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(line, shell=True, cwd=cwd, env=environment(), capture_output=True, check=False)


def test_long_work_shows_how_far_it_is(tmp_path: Path) -> None:
    done = on_terminal(command("resolve", "-q", *REFUSED), tmp_path, environment())
    assert "asking about" not in done
    done = on_terminal(command("resolve", *REFUSED), tmp_path, environment())
    assert "asking about 200 addresses  50 %" in done
    assert done.count("(connect_failed)") == 200


def on_terminal(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    """What a terminal is given for both outputs."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, cwd=cwd, env={**env, "TERM": "xterm"}, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        read = bytearray()
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the last one that had it open has ended
                break
            if not piece:
                break
            read += piece
        process.wait()
    os.close(ours)
    return read.decode()


def test_a_thousand_addresses_are_told_in_their_order(tmp_path: Path) -> None:
    given = [f"http://127.0.0.1:1/{number}.flv" for number in range(1000)]
    done = subprocess.run(
        command("resolve", "--json", *given), cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert [json.loads(line)["url"] for line in done.stdout.splitlines()] == given
    assert done.returncode == 21


async def test_of_several_each_answer_says_of_which_address_it_is(server: PlatformServer, tmp_path: Path) -> None:
    server.play([PlannedAnswer("*", "slow down", status=429)])
    urls = [
        "https://www.huya.com/660000",
        "ftp://x/y",
        "https://u:secret@picarto.tv/x?token=abcdefgh",
        "http://a.example/x.flv",
    ]
    done = await call(server, "resolve", *urls, cwd=tmp_path)
    blocks = [line for line in done.out.splitlines() if line.startswith(("http", "ftp"))]
    assert blocks == [urls[0], urls[1], "https://***@picarto.tv/x?token=***", urls[3]]
    told = await call(server, "resolve", "--json", *urls, cwd=tmp_path)
    assert [doc["url"] for doc in told.events] == urls
    assert [doc["event"] for doc in told.events] == ["resolved", "error", "resolved", "resolved"]
    assert done.code == told.code == 21


async def test_what_a_site_tells_does_not_steer_the_terminal(server: PlatformServer, tmp_path: Path) -> None:
    title = r"a\u001b]0;b\u0007c\u009b2J\u202ed\noffline: e"
    path = Path(__file__).parent.parent / "data/platforms/bilibili/own/offline.toml"
    (planned,) = read_case(path).answers
    server.play([PlannedAnswer(planned.ask, planned.body.replace("看鸟", title).replace("某人", title))])
    for more in ((), ("--all-adapters",), ("--quick",), ("-v",)):
        done = await call(server, "resolve", *more, "https://live.bilibili.com/21495945", cwd=tmp_path)
        assert "c\ufffd2J" in done.out or more == ("--all-adapters",)
        assert not [c for c in done.out.replace("\n", "") if unicodedata.category(c) == "Cc" or c == "\u202e"], more
        assert sum(line.startswith("offline: ") for line in done.out.splitlines()) <= 1


async def test_a_line_of_the_quick_look_has_no_secret_of_an_address(server: PlatformServer, tmp_path: Path) -> None:
    server.play([PlannedAnswer("*", "slow down", status=429)])
    url = "https://u:s3cr3t@www.huya.com/660000?token=s3cr3t"
    done = await call(server, "resolve", "--quick", url, "https://a.example/?token=s3cr3t", cwd=tmp_path)
    assert "https://***@www.huya.com/660000?token=***" in done.out
    assert "s3cr3t" not in done.out + done.err
    told = await call(server, "resolve", "--quick", "--json", url, cwd=tmp_path)
    assert told.events[0]["url"] == url
