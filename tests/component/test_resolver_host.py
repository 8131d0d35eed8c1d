"""The child process that hosts the resolvers: what a plugin does on a bad day costs its own answer and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from ouzel.base.errors import OuzelError, ResolverFailed, SiteChanged, UnknownSite
from ouzel.model.live import Live, Offline, State, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Match, Options, Peek, Probing
from ouzel.platforms.host import HostLimits, open_host
from ouzel.platforms.registry import registry
from ouzel.testing.platforms import PlannedAnswer, platform_server

pytestmark = pytest.mark.anyio
WORKER = (str(Path(__file__).parent.parent / "odd_worker.py"),)
QUICK = HostLimits(timeout_s=2.0)


def page(what: str) -> str:
    return f"https://picarto.tv/{what}"


def is_live(told: Told, what: str) -> bool:
    return isinstance(told.outcome, Live) and told.outcome.identity.id == what


async def test_an_answer_comes_over_whole() -> None:
    async with open_host(worker=WORKER) as host:
        assert host.pids == []
        told = await host.resolve(page("somebody"))
        assert is_live(told, "somebody")
        assert isinstance(told.outcome, Live)
        assert told.outcome.streams == (Stream("https://cdn.example/somebody.flv", headers=(("Referer", "x"),)),)
        assert [each.status for each in told.evidence] == [200]
        (pid,) = host.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("what", ["crashes", "exits"])
async def test_what_takes_the_interpreter_down_costs_one_answer(what: str) -> None:
    told: dict[str, Told] = {}
    async with open_host(QUICK, worker=WORKER) as host:

        async def ask(name: str) -> None:
            told[name] = await host.resolve(page(name))

        async with anyio.create_task_group() as tasks:
            for name in ("a", "b", what, "c", "d"):
                tasks.start_soon(ask, name)
        assert is_live(await host.resolve(page("later")), "later")
        with anyio.fail_after(5):
            while len(host.pids) > 1:  # noqa: ASYNC110 - the end of a process that nobody waits for
                await anyio.sleep(0.01)
    assert all(is_live(told[name], name) for name in "abcd")
    assert isinstance(told[what].outcome, ResolverFailed)
    assert "ended" in str(told[what].outcome)
    assert told[what].adapter == ""  # nobody knows which one it was


async def test_what_hangs_costs_one_answer_and_its_process() -> None:
    told: dict[str, Told] = {}
    async with open_host(QUICK, worker=WORKER) as host:

        async def ask(name: str) -> None:
            told[name] = await host.resolve(page(name))

        async with anyio.create_task_group() as tasks:
            for name in ("a", "sleeps", "b"):
                tasks.start_soon(ask, name)
        assert is_live(await host.resolve(page("later")), "later")
        assert host.started == 2
        with anyio.fail_after(5):
            while len(host.pids) > 1:  # noqa: ASYNC110 - the end of a process that nobody waits for
                await anyio.sleep(0.01)
    assert is_live(told["a"], "a")
    assert is_live(told["b"], "b")
    assert isinstance(told["sleeps"].outcome, ResolverFailed)
    assert "no answer within 2 s" in str(told["sleeps"].outcome)


async def test_a_start_that_is_cut_off_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[anyio.abc.Process]()
    open_process = anyio.open_process

    async def slowly(*args: Any, **options: Any) -> anyio.abc.Process:
        started.append(await open_process(*args, **options))
        asking.cancel()
        await anyio.lowlevel.checkpoint()
        return started[0]

    monkeypatch.setattr(anyio, "open_process", slowly)
    async with open_host(QUICK, worker=WORKER) as host:
        with anyio.CancelScope() as asking:
            await host.resolve(page("somebody"))
        assert asking.cancelled_caught
    assert started[0].returncode is not None


PARENT = """
import sys, anyio
from ouzel.platforms.host import open_host
async def main():
    async with open_host(worker=(sys.argv[1],), env={"HELD": sys.argv[2]}) as host, anyio.create_task_group() as tasks:
        tasks.start_soon(host.resolve, "https://picarto.tv/holds")
        while not host.pids:
            await anyio.sleep(0.01)
        print(*host.pids, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it reads the end of its input")
async def test_a_child_that_holds_the_interpreter_dies_with_its_parent(tmp_path: Path) -> None:
    held = anyio.Path(tmp_path / "held")
    command = [sys.executable, "-c", PARENT, *WORKER, str(held)]
    async with await anyio.open_process(command) as parent:
        assert parent.stdout is not None
        pid = int(await parent.stdout.receive())
        with anyio.fail_after(30):
            while not await held.exists():  # noqa: ASYNC110 - another process makes it
                await anyio.sleep(0.01)
            parent.kill()
            while await is_running(pid):  # noqa: ASYNC110 - the end of a process that nobody waits for
                await anyio.sleep(0.01)


async def is_running(pid: int) -> bool:
    """Also false of a process that has ended and that nobody has waited for."""
    try:
        stat = await anyio.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def open_files(pid: int | str) -> int:
    return len([*Path(f"/proc/{pid}/fd").iterdir()])


@pytest.mark.skipif(sys.platform != "linux", reason="counts what is in /proc")
async def test_nothing_is_left_of_a_thousand_requests() -> None:
    async with open_host(HostLimits(requests=250), worker=WORKER) as host:

        async def ask(number: int) -> None:
            async with at_once:
                assert is_live(await host.resolve(page(f"a{number}")), f"a{number}")

        counts = list[tuple[int, int, int, int]]()
        for _ in range(4):
            at_once = anyio.CapacityLimiter(20)
            async with anyio.create_task_group() as tasks:
                for number in range(250):
                    tasks.start_soon(ask, number)
            with anyio.fail_after(10):
                while len(host.pids) > 1:  # noqa: ASYNC110 - the end of a process that nobody waits for
                    await anyio.sleep(0.01)
            ours, its = (open_files(pid) for pid in ("self", *host.pids))
            counts.append((ours, its, len(asyncio.all_tasks()), len(host.pids)))
        assert host.started >= 4
    assert len(set(counts)) == 1


async def test_what_is_printed_does_not_get_between_the_answers() -> None:
    async with open_host(QUICK, worker=WORKER) as host:
        assert is_live(await host.resolve(page("prints")), "prints")
        assert is_live(await host.resolve(page("a")), "a")
        assert host.started == 1


async def test_a_child_is_replaced_after_so_many_requests_or_so_much_memory() -> None:
    async with open_host(HostLimits(requests=3), worker=WORKER) as host:
        for number in range(7):
            assert is_live(await host.resolve(page(f"a{number}")), f"a{number}")
        assert host.started == 3
    async with open_host(HostLimits(rss_bytes=100_000_000), worker=WORKER) as host:
        for _ in range(4):
            assert is_live(await host.resolve(page("grows")), "grows")
        assert host.started > 1


async def test_what_is_not_understood_is_told_with_what_was_answered() -> None:
    async with open_host(QUICK, worker=WORKER) as host:
        stumbled, changed = await host.resolve(page("stumbles")), await host.resolve(page("changed"))
    for told in (stumbled, changed):
        assert isinstance(told.outcome, SiteChanged)
        assert told.outcome.context["evidence"][0]["first"] == "{}"
        assert [each["adapter"] for each in told.outcome.context["tried"]] == ["streamlink", "yt-dlp", "streamget"]


async def test_secrets_stay_where_they_are() -> None:
    async with open_host(QUICK, worker=WORKER) as host:
        told = await host.resolve(page("secret"), Options(cookies="session=verysecretvalue; token=abc"))
        (pid,) = host.pids
        arguments = await anyio.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert isinstance(told.outcome, OuzelError)
    assert "verysecretvalue" not in f"{told.outcome} {told.outcome.context}"
    assert b"verysecret" not in arguments


async def test_secrets_in_the_last_words_of_a_child_stay_too() -> None:
    async with open_host(QUICK, worker=WORKER) as host:
        told = await host.resolve(
            page("tells"), Options(cookies="session=verysecretvalue", proxy="http://me:hunter22@h:1")
        )
    assert isinstance(told.outcome, ResolverFailed)
    assert "options:" in str(told.outcome)
    assert "verysecretvalue" not in str(told.outcome)
    assert "hunter22" not in str(told.outcome)


async def test_cookies_do_not_follow_a_short_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with platform_server(tmp_path) as server, open_host() as host:
        server.play(
            [
                PlannedAnswer("b23.tv/*", status=302, headers={"Location": "https://evil.example/collect"}),
                PlannedAnswer("evil.example/*", status=302, headers={"Location": "https://live.bilibili.com/7"}),
            ]
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        await host.resolve("https://b23.tv/abc", Options(proxy=server.proxy, cookies="SESSDATA=verysecret"))
    sent = {asked.host: asked.headers.get("cookie", "") for asked in server.asked}
    assert (sent["b23.tv"], sent["evil.example"]) == ("", "")
    assert "verysecret" in sent["api.live.bilibili.com"]


async def test_an_address_of_no_platform_is_told_as_such() -> None:
    async with open_host(QUICK, worker=WORKER) as host:
        told = await host.resolve("https://example.org/live/7")
    assert isinstance(told.outcome, UnknownSite)


async def test_a_site_that_does_not_answer_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with platform_server(tmp_path) as server, open_host(HostLimits(timeout_s=10.0)) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        server.play([PlannedAnswer("*", "{}")])
        await host.resolve(page("another"), Options(proxy=server.proxy))  # now all that it takes is loaded
        assert host.pids
        server.silent = True
        told = await host.resolve(page("somebody"), Options(proxy=server.proxy))
    assert isinstance(told.outcome, OuzelError)
    assert state_of(told.outcome) is State.BLOCKED
    assert told.evidence[0].error == "stalled"


@pytest.mark.parametrize("many", [False, True])
async def test_a_character_that_a_site_has_cut_through_costs_that_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    """A name whose last character was cut in half, as JavaScript does it."""
    user = {"login": "somebody", "displayName": "half \ud83d", "id": "7", "stream": None}
    url = "https://www.twitch.tv/somebody"
    async with platform_server(tmp_path) as server, open_host() as host:
        server.play([PlannedAnswer("*", json.dumps({"data": {"users": [user], "userOrError": user}}))])
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        options = Options(proxy=server.proxy)
        said = (await host.probe({url: ""}, options))[url] if many else (await host.resolve(url, options)).outcome
        assert host.started == 1
    assert isinstance(said, (Peek, Offline))
    assert said.anchor == "half \ufffd"


# ---- many channels in few questions


def users(count: int) -> str:
    told = [
        {"login": f"user{n}", "displayName": f"User {n}", "stream": {"id": "1"} if n % 3 else None}
        for n in range(count)
    ]
    return json.dumps({"data": {"users": told}})


async def test_hundreds_of_channels_cost_a_handful_of_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twitch = [f"https://www.twitch.tv/user{number}" for number in range(300)]
    others = ["https://picarto.tv/somebody", "https://odysee.com/@somebody:7", "https://example.org/x"]
    async with platform_server(tmp_path) as server, open_host() as host:
        server.play([PlannedAnswer("POST gql.twitch.tv/gql", users(300))])
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        told = await host.probe(dict.fromkeys([*twitch, *others], ""), Options(proxy=server.proxy))
        assert len(server.asked) == 3  # a hundred in each
    assert [told[url] for url in twitch] == [Peek(bool(n % 3), "", f"User {n}") for n in range(300)]
    assert [told[url] for url in others] == [None, None, None]


async def test_ids_that_are_in_no_address_are_those_that_were_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"https://odysee.com/@one:1": "7", "https://odysee.com/@two:2": ""}
    listed = '{"success": true, "data": [{"ChannelClaimID": "7", "Live": true}]}'
    async with platform_server(tmp_path) as server, open_host() as host:
        server.play([PlannedAnswer("api.odysee.live/livestream/all", listed)])
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        told = await host.probe(pages, Options(proxy=server.proxy))
    assert told == dict(zip(pages, (Peek(True), None), strict=True))


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (PlannedAnswer("*", "bad gateway", status=502, type="text/plain"), 1),
        (PlannedAnswer("*", "<html><div id='captcha'>", type="text/html"), 1),
        (PlannedAnswer("*", "{}"), 3),
        (PlannedAnswer("*", '{"data": {"users": [{"login": "user0"}]}}'), 3),
        (PlannedAnswer("*", '{"data": {"users": []}, "errors": [{"message": "service timeout"}]}'), 1),
    ],
)
async def test_a_question_that_failed_never_says_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: PlannedAnswer, requests: int
) -> None:
    urls = [f"https://www.twitch.tv/user{number}" for number in range(250)]
    async with platform_server(tmp_path) as server, open_host() as host:
        server.play([answer])
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        told = await host.probe(dict.fromkeys(urls, ""), Options(proxy=server.proxy))
        assert len(server.asked) == requests  # where it blocks or is down nothing more is asked
    assert not [each for each in told.values() if isinstance(each, Peek)]
    assert len(told) == 250
    assert isinstance(told[urls[0]], OuzelError)


async def test_a_child_that_is_lost_over_many_says_nothing() -> None:
    async with open_host(QUICK, worker=(str(Path(__file__)),)) as host:  # no worker at all
        told = await host.probe({"https://www.twitch.tv/a": ""})
    assert isinstance(told["https://www.twitch.tv/a"], ResolverFailed)


def test_every_such_question_can_be_asked() -> None:
    adapters = [adapter_for("own", Match(each, "", {})) for each in registry() if "own" in each.chain]
    asking = [each for each in adapters if hasattr(each, "probe")]
    assert len(asking) >= 11
    assert [each for each in asking if not isinstance(each, Probing)] == []
