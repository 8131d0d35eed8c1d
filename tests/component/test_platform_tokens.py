"""Tokens that are kept: for whom, for how long, from whom, and what happens to them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from ouzel.model.live import Live, Offline, State, state_of
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.keeping import Drawer, Store
from ouzel.platforms.watch import Watch
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

DATA = Path(__file__).parent.parent / "data" / "platforms"
MINE = ("soop", "me", "http://h:1")


def text_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ouzel"


def test_a_token_is_there_for_its_owner_alone(folder: Path) -> None:
    Store(folder).drawer(*MINE).keep("ticket", "s3cret", 60)
    assert Store(folder).drawer(*MINE).kept("ticket") == "s3cret"
    assert Store(folder).drawer(*MINE).kept("other") is None
    for owner in (("soop", "you", "http://h:1"), ("soop", "me", ""), ("twitch", "me", "http://h:1")):
        assert Store(folder).drawer(*owner).kept("ticket") is None


def test_nothing_in_the_files_can_be_read_by_others(folder: Path) -> None:
    Store(folder).drawer(*MINE).keep("ticket", "s3cret", 60)
    kept = text_of(folder)
    assert not any(word in kept for word in (b"s3cret", b"soop", b"me\0", b"h:1", b"ticket"))
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "tokens.db": 0o600,
        "tokens.key": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_is_over_in_time(folder: Path) -> None:
    now = [1000.0]
    drawer = Store(folder, lambda: now[0]).drawer(*MINE)
    drawer.keep("ticket", "a", 60)
    now[0] += 59
    assert drawer.kept("ticket") == "a"
    now[0] += 1
    assert drawer.kept("ticket") is None


def test_it_is_replaced_and_forgotten(folder: Path) -> None:
    drawer = Store(folder).drawer(*MINE)
    drawer.forget("ticket")
    assert not folder.exists()
    for value in ("a", "b"):
        drawer.keep("ticket", value, 60)
    drawer.keep("other", "c", 60)
    assert drawer.kept("ticket") == "b"
    drawer.forget("ticket")
    assert (drawer.kept("ticket"), drawer.kept("other")) == (None, "c")


def spoil_database(folder: Path) -> None:
    (folder / "tokens.db").write_bytes(b"these are no tokens" * 1000)


def spoil_pages(folder: Path) -> None:
    data = bytearray((folder / "tokens.db").read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    (folder / "tokens.db").write_bytes(data)


def spoil_key(folder: Path) -> None:
    (folder / "tokens.key").write_bytes(b"no key")


@pytest.mark.parametrize("spoil", [spoil_database, spoil_pages, spoil_key])
def test_what_is_damaged_is_set_aside(folder: Path, spoil: Callable[[Path], None]) -> None:
    drawer = Store(folder).drawer(*MINE)
    drawer.keep("ticket", "a", 60)
    spoil(folder)
    assert drawer.kept("ticket") is None
    drawer.keep("ticket", "b", 60)
    assert drawer.kept("ticket") == "b"
    assert (folder / "tokens.db.damaged").exists()


def test_damage_is_found_before_anything_is_asked(folder: Path) -> None:
    assert not Store(folder).mend()
    Store(folder).drawer(*MINE).keep("ticket", "a", 60)
    assert not Store(folder).mend()
    for spoil in (spoil_database, spoil_key):
        Store(folder).drawer(*MINE).keep("ticket", "a", 60)
        spoil(folder)
        assert Store(folder).mend()
        assert not Store(folder).mend()
        assert not (folder / "tokens.db").exists()


def test_another_key_opens_nothing_and_breaks_nothing(folder: Path) -> None:
    drawer = Store(folder).drawer(*MINE)
    drawer.keep("ticket", "a", 60)
    (folder / "tokens.key").unlink()
    assert drawer.kept("ticket") is None
    drawer.keep("ticket", "b", 60)
    assert drawer.kept("ticket") == "b"


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    drawer = Store(tmp_path / "file" / "ouzel").drawer(*MINE)
    drawer.keep("ticket", "a", 60)
    assert drawer.kept("ticket") is None
    drawer.forget("ticket")


def test_many_processes_at_once_agree_on_a_key(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ouzel.platforms.keeping import Store; "
        "Store(Path(sys.argv[1])).drawer('x').keep(sys.argv[2], sys.argv[2], 60)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(folder), str(n)]) for n in range(6)]
    assert [process.wait(60) for process in running] == [0] * 6
    drawer = Store(folder).drawer("x")
    assert [drawer.kept(str(n)) for n in range(6)] == [str(n) for n in range(6)]
    assert {path.name for path in folder.iterdir()} == {"tokens.db", "tokens.key"}


def site(drawer: Drawer | None) -> Site:
    return Site(Watch(), Options(), drawer=drawer)


def made(*values: str) -> Callable[[], str]:
    left: Iterator[str] = iter(values)
    return lambda: next(left)


@pytest.mark.parametrize("kept", [True, False])
def test_a_refused_token_is_replaced_once(folder: Path, kept: bool) -> None:
    drawer = Store(folder).drawer(*MINE) if kept else None
    one = site(drawer)
    assert next(iter(one.tokens("t", 60, made("old")))) == "old"
    assert one.kept("t") == "old"
    assert [*(one if not kept else site(drawer)).tokens("t", 60, made("new"))] == ["old", "new"]
    assert site(drawer).kept("t") is None  # both were refused


def test_what_was_asked_with_a_token_that_is_refused_counts_no_more() -> None:
    watch = Watch()
    one = Site(watch, Options())
    watch.answered("GET", "https://h/before", 200, "text/plain", "")
    one.keep("t", "old", 60)
    tokens = one.tokens("t", 60, made("new"))
    next(tokens)
    watch.answered("GET", "https://h/", 403, "text/plain", "no")
    assert watch.first_fault() is not None
    next(tokens)
    assert watch.first_fault() is None
    assert [each.status for each in watch.evidence] == [200, 403]


# through the platform server, with the resolvers of platforms


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PlatformServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with platform_server(tmp_path) as server:
        yield server


async def ask(server: PlatformServer, store: Store | None, url: str, **options: str) -> Told:
    given = Options(proxy=server.proxy, timeout_s=10.0, **options)  # type: ignore[arg-type]
    return await anyio.to_thread.run_sync(answer, url, "own", given, store)


VISITS = {
    "douyin": ("https://live.douyin.com/745964462470", "ttwid.bytedance.com/*"),
    "acfun": ("https://live.acfun.cn/live/40740702", "id.app.acfun.cn/*"),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "url", "place"), [(name, *each) for name, each in VISITS.items()], ids=VISITS)
async def test_a_visitor_introduces_himself_once(
    server: PlatformServer, folder: Path, name: str, url: str, place: str
) -> None:
    server.play(read_case(DATA / name / "own" / "live.toml"))
    for store in (Store(folder), Store(folder)):
        told = await ask(server, store, url)
        assert isinstance(told.outcome, Live), told
    assert server.hits(place) == 1
    await ask(server, None, url)
    assert server.hits(place) == 2


@pytest.mark.anyio
async def test_a_visitors_cookie_that_is_refused_is_replaced_once(server: PlatformServer, folder: Path) -> None:
    """Douyin answers with nothing then."""
    case = read_case(DATA / "douyin" / "own" / "live.toml")
    server.play(case)
    store, url = Store(folder), VISITS["douyin"][0]
    await ask(server, store, url)
    server.play([PlannedAnswer("GET live.douyin.com/webcast/room/web/enter/", "", times=1), *case.answers])
    told = await ask(server, store, url)
    assert isinstance(told.outcome, Live), told
    assert (server.hits("ttwid.bytedance.com/*"), server.hits("live.douyin.com/webcast/*")) == (1, 2)
    await ask(server, store, url)
    assert server.hits("ttwid.bytedance.com/*") == 1


SIGNIN = PlannedAnswer(
    "POST api.ttinglive.com/v2/api/auth/signin", "{}", headers={"Set-Cookie": "flx_oauth_access=$TICKET; Path=/"}
)
PLAYER = "GET api.ttinglive.com/api/channels/593127/stream"
CHANNEL = "https://www.ttinglive.com/channels/593127/live"


@pytest.mark.anyio
async def test_an_account_signs_in_once(server: PlatformServer, folder: Path) -> None:
    server.names["TICKET"] = "s3cret"
    server.play([SIGNIN, *read_case(DATA / "ttinglive" / "own" / "live.toml").answers])
    for _ in range(2):
        told = await ask(server, Store(folder), CHANNEL, login="me", password="sesame")
        assert isinstance(told.outcome, Live), told
    assert server.hits("*/signin") == 1
    assert {asked.headers["cookie"] for asked in server.asked if asked.method == "GET"} == {"flx_oauth_access=s3cret"}
    await ask(server, Store(folder), CHANNEL, login="me", password="other")
    await ask(server, Store(folder), CHANNEL, login="you", password="sesame")
    assert server.hits("*/signin") == 3
    assert b"s3cret" not in text_of(folder)


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "words"), [(401, "{}"), (400, '{"message": "로그인"}')])
async def test_a_ticket_that_is_over_is_no_fault(server: PlatformServer, folder: Path, status: int, words: str) -> None:
    refusal = PlannedAnswer(PLAYER, words, status=status, times=1)
    server.names["TICKET"] = "a"
    offline = read_case(DATA / "ttinglive" / "own" / "offline.toml").answers
    server.play([SIGNIN, *offline])
    assert isinstance((await ask(server, Store(folder), CHANNEL, login="me", password="x")).outcome, Offline)
    server.play([SIGNIN, refusal, *offline])
    assert isinstance((await ask(server, Store(folder), CHANNEL, login="me", password="x")).outcome, Offline)
    assert server.hits("*/signin") == 1


@pytest.mark.anyio
async def test_an_account_that_is_refused_needs_a_login(server: PlatformServer, folder: Path) -> None:
    refused = PlannedAnswer("POST api.ttinglive.com/v2/api/auth/signin", '{"message": "no"}', status=400)
    server.play([refused, *read_case(DATA / "ttinglive" / "own" / "live.toml").answers])
    told = await ask(server, Store(folder), CHANNEL, login="me", password="sesame")
    assert state_of(told.outcome) is State.NEEDS_LOGIN
    assert "does not take the account: no" in str(told.outcome)
    assert not await anyio.Path(folder).exists()
