"""The child process that hosts the resolvers: what a plugin does on a bad day costs its own answer and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from ouzel.base.errors import OuzelError, ResolverFailed, SiteChanged, UnknownSite
from ouzel.model.live import Live, State, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.host import HostLimits, open_host
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
    async with platform_server(tmp_path) as server, open_host(HostLimits(timeout_s=5.0)) as host:
        server.silent = True
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        told = await host.resolve(page("somebody"), Options(proxy=server.proxy))
    assert isinstance(told.outcome, OuzelError)
    assert state_of(told.outcome) is State.BLOCKED
    assert told.evidence[0].error == "stalled"
