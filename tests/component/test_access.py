"""Who asks a page, and by which way: the command line before the settings, and what is worth a warning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ouzel.base.errors import BadConfig, BadOption
from ouzel.cli.access import Access
from ouzel.cli.access_options import AccessWords, read_cookie_file
from ouzel.cli.output import VERBOSE, Output
from ouzel.platforms.contract import Options
from ouzel.system.http.given import read_proxy

SOOP = "https://play.sooplive.com/somebody"
ROOM, SHORT, OTHER = "https://live.bilibili.com/1", "https://b23.tv/abc", "https://www.twitch.tv/somebody"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    for name in ("OUZEL_CONFIG", "OUZEL_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OUZEL_LANG", "en")


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def access(tmp_path: Path, text: str, **words: object) -> Access:
    config = private(tmp_path / "ouzel.toml", text)
    return Access(AccessWords(config=config, **words))  # type: ignore[arg-type]


def warnings(given: Access, capsys: pytest.CaptureFixture[str]) -> list[str]:
    given.tell_warnings(Output(is_json=False, level=VERBOSE))
    return capsys.readouterr().err.splitlines()


def test_the_table_of_the_platform_then_that_of_all(tmp_path: Path) -> None:
    given = access(
        tmp_path,
        """
        [platforms]
        proxy = "socks5h://127.0.0.1:1080"
        [platforms.bilibili]
        cookies = "SESSDATA=abc"
        user_agent = "me"
        login = "somebody"
        password = "sesame"
        codecs = ["hevc"]
        """,
    )
    whole = Options("SESSDATA=abc", "socks5h://127.0.0.1:1080", "me", "somebody", "sesame", codecs=("hevc",))
    assert given.of(ROOM).options == whole
    assert given.of(SHORT).options == whole
    assert given.of(OTHER).options == Options(proxy="socks5h://127.0.0.1:1080")
    assert given.of("https://example.org/live.m3u8").options == Options()


def test_the_command_line_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_PASSWORD", "other")
    given = access(
        tmp_path,
        "[platforms.soop]\ncookies = 'a=set'\nproxy = 'http://h:1'\nuser_agent = 'set'\nlogin = 'set'\npassword = 'set'",
        cookies=private(tmp_path / "c.txt", "a=said"),
        proxy="http://h:2",
        user_agent="said",
        login="said",
        insecure=True,
    )
    assert given.of(SOOP).options == Options("a=said", "http://h:2", "said", "said", "other", verify_tls=False)


def test_the_media_get_what_is_theirs(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    jar = access(tmp_path, "[platforms.bilibili]\ncookies = 'a=b'").of(ROOM).jar
    assert jar.header("https://live.bilibili.com/x", now) == "a=b"
    assert jar.header("https://cdn.example.org/x", now) is None


def test_cookies_beyond_ascii_can_be_sent_by_everybody(tmp_path: Path) -> None:
    given = access(tmp_path, "", cookies=private(tmp_path / "c.txt", "SESSDATA=abc%2C; nick=某人"))
    assert given.of(ROOM).options.cookies == "SESSDATA=abc%2C; nick=%E6%9F%90%E4%BA%BA"


@pytest.mark.parametrize("words", [{"proxy": "direct"}, {"proxy": "Direct "}])
def test_a_proxy_for_all_can_be_left_out(tmp_path: Path, words: dict[str, str]) -> None:
    assert access(tmp_path, "[platforms]\nproxy = 'http://h:1'", **words).of(ROOM).options.proxy == ""
    text = "[platforms]\nproxy = 'http://h:1'\n[platforms.bilibili]\nproxy = 'direct'"
    assert access(tmp_path, text).of(ROOM).options.proxy == ""
    assert access(tmp_path, text).of(OTHER).options.proxy == "http://h:1"


@pytest.mark.parametrize("agent", ["某", "a\nb", "a\tb"])
def test_a_user_agent_that_not_everybody_can_send(tmp_path: Path, agent: str) -> None:
    with pytest.raises(BadOption, match="--user-agent has characters that cannot be sent"):
        access(tmp_path, "", user_agent=agent).of(ROOM)
    with pytest.raises(BadConfig, match=r"ouzel.toml: the user_agent of bilibili has characters"):
        access(tmp_path, f"[platforms]\nuser_agent = {json.dumps(agent)}").of(ROOM)


def test_the_scheme_of_a_proxy_is_known_in_capitals() -> None:
    assert read_proxy(" SOCKS5://Me:PW@127.0.0.1:1080", "--proxy") == "socks5://Me:PW@127.0.0.1:1080"


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:80", "ftp://h", "http://", "http://me:s3cret@h:x", "http://me:s3/cret@h:1", "socks://me:s3cret@h"],
)
def test_a_proxy_that_is_none_is_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadOption, match=r"--proxy is not understood: a proxy is http://, socks5://") as caught:
        read_proxy(text, "--proxy")
    assert "s3" not in str(caught.value)
    given = access(tmp_path, f"[platforms.bilibili]\nproxy = '{text}'")
    with pytest.raises(BadConfig, match=r"ouzel.toml: the proxy of bilibili is not understood") as refused:
        given.of(ROOM)
    assert "s3" not in str(refused.value)


def test_files_are_looked_for_beside_the_settings(tmp_path: Path) -> None:
    private(tmp_path / "b.json", '[{"name": "SESSDATA", "value": "abc", "domain": ".bilibili.com"}]')
    private(tmp_path / "word", "ses ame\r\nmore")
    given = access(tmp_path, "[platforms.bilibili]\ncookies = 'b.json'\nlogin = 'me'\npassword_file = './word'")
    options = given.of(ROOM).options
    assert (options.cookies, options.login, options.password) == ("SESSDATA=abc", "me", "ses ame")


def test_a_password_comes_from_the_environment_where_none_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = access(tmp_path, "[platforms.soop]\nlogin = 'me'")
    with pytest.raises(BadOption, match="a login needs a password"):
        given.of(SOOP)
    assert given.of(OTHER).options.login == ""
    monkeypatch.setenv("OUZEL_PASSWORD", "sesame")
    assert given.of(SOOP).options.password == "sesame"


def test_nobody_is_asked_for_a_password_of_no_use(tmp_path: Path) -> None:
    assert access(tmp_path, "[platforms.bilibili]\nlogin = 'me'").of(ROOM).options.password == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"\n", "no password in its first line"), (b"\xff", "not text in UTF-8")],
)
def test_a_password_file_that_is_none(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "word").write_bytes(content)
    with pytest.raises(BadConfig, match=words):
        access(tmp_path, "[platforms.bilibili]\nlogin = 'me'\npassword_file = 'word'").of(ROOM)


def test_cookies_in_an_argument_are_not_taken_and_not_shown() -> None:
    with pytest.raises(BadOption, match="--cookies takes a file") as caught:
        read_cookie_file(Path("SESSDATA=s3cret"), host="h")
    assert "s3cret" not in str(caught.value)


def test_cookies_that_are_over_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f".bilibili.com\tTRUE\t/\tFALSE\t{when}\t{name}\tabc" for when, name in ((1, "old"), (1, "bad"), (0, "new"))
    ]
    given = access(tmp_path, "", cookies=private(tmp_path / "c.txt", "\n".join(lines)))
    assert given.of(ROOM).options.cookies == "new=abc"
    given.of(ROOM)
    (told,) = warnings(given, capsys)
    assert "c.txt are over, and are not sent: old (1970-01-01), bad (1970-01-01)" in told
    assert told.endswith("(cookies_expired)")
    assert "abc" not in told


def test_cookies_for_other_sites_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = private(tmp_path / "c.txt", ".bilibili.com\tTRUE\t/\tFALSE\t0\ta\tabc")
    given = access(tmp_path, "", cookies=path)
    assert given.of(OTHER).options.cookies == ""
    assert warnings(given, capsys) == [
        f"warning: no cookie in {path} is for www.twitch.tv: none is sent (cookies_elsewhere)"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[platforms.twitch]\npassword = 'x'\nlogin = 'me'", True),
        ("[platforms.twitch]\ncookies = 'a=b'", True),
        ("[platforms]\nproxy = 'http://me:x@h:1'", True),
        ("[platforms]\nproxy = 'http://h:1'\n[platforms.twitch]\ncookies = 'c.txt'\nlogin = 'me'", False),
    ],
)
def test_settings_that_others_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: bool
) -> None:
    config = tmp_path / "ouzel.toml"
    config.write_text(text)
    config.chmod(0o640)
    assert [line.rpartition(" ")[2] for line in warnings(Access(AccessWords(config=config)), capsys)] == (
        ["(secrets_readable)"] if told else []
    )
    config.chmod(0o600)
    assert warnings(Access(AccessWords(config=config)), capsys) == []


def test_files_of_secrets_that_others_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = access(tmp_path, "[platforms.soop]\ncookies = 'c.txt'\nlogin = 'me'\npassword_file = 'word'")
    for name in ("c.txt", "word"):
        private(tmp_path / name, "a=b").chmod(0o644)
    given.of("https://play.sooplive.com/somebody")
    told = warnings(given, capsys)
    assert [str(tmp_path / name) in line for name, line in zip(("c.txt", "word"), told, strict=True)] == [True, True]


def test_a_login_that_is_of_no_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUZEL_PASSWORD", "s3same")
    given = access(tmp_path, "", login="me")
    given.of("https://play.sooplive.com/somebody")
    assert warnings(given, capsys) == []
    given.of(ROOM)
    assert warnings(given, capsys) == [
        "warning: nobody here can sign in to Bilibili; give cookies of a browser instead (login_unused)"
    ]
