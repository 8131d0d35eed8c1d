"""The tables of the settings file that say how the daemon works; where each value comes from; the example of the whole file."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from ouzel.base.errors import BadConfig
from ouzel.config import load
from ouzel.config.example import example
from ouzel.config.load import load_reading, load_settings
from ouzel.config.roots import storage_roots
from ouzel.config.schema import OF_ALL, plain_tables
from ouzel.config.settings import Settings
from ouzel.config.sources import Override, lines_of
from ouzel.config.values import Place, WrongValue, read, written_duration
from ouzel.daemon.downloading import download_rules
from ouzel.model.downloads import MOST_CONNECTIONS, PROFILES, Pace
from ouzel.platforms.registry import registry

PLATFORMS = ("bilibili", "twitch", "pixiv-sketch")
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "config.md"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the user of this machine has set."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("OUZEL_CONFIG", raising=False)


def write(folder: Path, text: str) -> Path:
    path = folder / "ouzel.toml"
    path.write_text(text)
    return path


def settings(tmp_path: Path, text: str, *overrides: Override) -> Settings:
    return load_settings(write(tmp_path, text), PLATFORMS, overrides)


def test_every_kind_of_value(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        [server]
        host = "unix:/run/ouzel.sock"
        port = 0
        public_url = "https://ouzel.example.org/"
        trusted_proxies = ["10.1.2.3/8", "fd00::1"]
        [storage]
        data = "data"
        min_free = "2GB"
        [daemon]
        shutdown_timeout = "1m30s"
        [log]
        format = "json"
        [hooks.tell-me]
        command = ["notify-send", "a, b"]
        on = ["broadcast.began", "notice.raised"]
        shape = "douyin_live_recorder"
        [metrics]
        open = true
        [platforms.twitch]
        interval = "2m"
        requests_per_minute = 10
        """,
    )

    assert (found.server.host, found.server.port) == ("unix:/run/ouzel.sock", 0)
    assert found.server.public_url == "https://ouzel.example.org"
    assert found.server.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("fd00::1"))
    assert found.storage.data == tmp_path / "data"
    assert found.storage.recordings == tmp_path / "data" / "recordings"
    assert found.storage.min_free == 2_000_000_000
    assert found.daemon.shutdown_timeout == timedelta(seconds=90)
    assert (found.log.format, found.log.level) == ("json", "info")
    assert found.hooks["tell-me"].command == ("notify-send", "a, b")
    assert found.hooks["tell-me"].on == ("broadcast.began", "notice.raised")
    assert found.metrics.open
    assert found.watch_of("twitch") == replace(found.watch, interval=timedelta(minutes=2), requests_per_minute=10)
    assert found.watch_of("bilibili") == found.watch


def test_that_nothing_is_set_has_folders_all_the_same(tmp_path: Path) -> None:
    found = load_settings(None, PLATFORMS).storage
    assert (found.data, found.recordings) == (tmp_path / "share" / "ouzel", tmp_path / "share" / "ouzel" / "recordings")


def test_paths_of_options_and_variables_begin_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("OUZEL_STORAGE__RECORDINGS", "media")
    found = settings(tmp_path, "storage.recordings = 'x'", Override("--data", "storage.data", "d")).storage
    assert (found.data, found.recordings) == (elsewhere / "d", elsewhere / "media")


def test_where_each_value_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_SERVER__PORT", "9001")
    monkeypatch.setenv("OUZEL_SERVER__HOST", "0.0.0.0")
    monkeypatch.setenv("OUZEL_LOG__LEVEL", "")  # as if it were not there
    monkeypatch.setenv("OUZEL_HOOKS__TELL_ME__SHELL", "yes")
    path = write(
        tmp_path,
        '# first\n[server]\nport = 9000\n\n[log]\nlevel = "debug"\n[hooks.tell-me]\ncommand = [\n  "x",\n]',
    )

    reading = load_reading(path, PLATFORMS, [Override("--port", "server.port", "9002")])

    assert reading.settings.server.port == 9002
    assert str(reading.origin(("server", "port"))) == "--port"
    assert reading.settings.server.host == "0.0.0.0"
    assert str(reading.origin(("server", "host"))) == "OUZEL_SERVER__HOST in the environment"
    assert reading.settings.log.level == "debug"
    assert str(reading.origin(("log", "level"))) == f"{path}, line 6"
    assert str(reading.origin(("watch", "interval"))) == "default"
    assert reading.settings.hooks["tell-me"].shell
    assert str(reading.origin(("hooks", "tell_me", "command"))) == f"{path}, line 8"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[servr]\nport = 1", "line 1: there is no table [servr]; did you mean server?"),
        ("[server]\nprot = 1", "line 2: [server] has no key prot; did you mean port?"),
        ("[server]\nport = '8521'", "line 2: port is a whole number, without quotation marks"),
        ("[server]\nport = true", "line 2: port is a whole number, without quotation marks"),
        ("[server]\nport = 70000", "line 2: port is at most 65535"),
        ("[server]\ntrusted_proxies = ['s3cret']", "line 2: trusted_proxies has addresses or networks"),
        ("[server]\ntrusted_proxies = '10.0.0.0/8'", "line 2: trusted_proxies is a list"),
        ("[server]\npublic_url = 's3cret'", "line 2: public_url is an address that begins with http"),
        ("[storage]\nmin_free = 5", "line 2: min_free is a size with its unit"),
        ("[storage]\nmin_free = '5'", "line 2: min_free is a size with its unit"),
        ("[watch]\ninterval = 's3cret'", "line 2: interval is a duration with its unit"),
        ("[watch]\ninterval = '30'", "line 2: interval is a duration with its unit"),
        ("[watch]\ninterval = '1s'", "line 2: interval is at least 10s"),
        ("[platforms.twitch]\ninterval = '1s'", "line 2: interval is at least 10s"),
        ("[platforms]\ninterval = '30s'", "line 2: an interval for all platforms stands in [watch]"),
        ("[log]\nlevel = 's3cret'", "line 2: level takes 'error', 'warning', 'info' or 'debug'"),
        ("[metrics]\nopen = 1", "line 2: open is true or false"),
        ("log = 1", "line 1: log is a table: [log]"),
        ("[hooks]\ncommand = ['s3cret']", "line 2: command is a table: [hooks.command]"),
        ("[hooks.x]\nshell = false", "line 1: [hooks.x] has no command"),
        ("[hooks.x]\n", "line 1: [hooks.x] has no command"),
        (
            "[hooks.x]\nshell = true\ncommand = ['a', 's3cret']",
            "line 1: [hooks.x] has a shell: its command is one text",
        ),
        ("[hooks.x]\ncommand = ['a']\nwhen = 's3cret'", "line 3: [hooks.x] has no key when"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_never_a_value(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadConfig) as caught:
        settings(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/ouzel.toml, {words}")
    assert "s3cret" not in str(caught.value)


def test_every_problem_is_told_by_itself_too(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        settings(tmp_path, "[server]\nport = 'x'\nhots = 'y'")
    assert caught.value.context["problems"] == [
        f"{tmp_path}/ouzel.toml, line 2: port is a whole number, without quotation marks",
        f"{tmp_path}/ouzel.toml, line 3: [server] has no key hots; did you mean host?",
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OUZEL_SERVER__PORT", "s3cret", "OUZEL_SERVER__PORT in the environment: port is a whole number"),
        ("OUZEL_SERVR__PORT", "1", "OUZEL_SERVR__PORT in the environment: there is no table [servr]; did you mean server?"),
        ("OUZEL_SERVER_PORT", "1", "OUZEL_SERVER_PORT in the environment is no setting; did you mean OUZEL_SERVER__PORT?"),
        ("OUZEL_WATCH_MIN_INTERVAL", "5", "OUZEL_WATCH_MIN_INTERVAL in the environment is no setting; did you mean OUZEL_WATCH_"),
        ("OUZEL_LOG_XYZZY", "5", "OUZEL_LOG_XYZZY in the environment is no setting: [log] has no key xyzzy"),
        ("OUZEL_PLATFORMS__TWITCH", "x", "OUZEL_PLATFORMS__TWITCH in the environment: twitch is a table: [platforms.twitch]"),
        ("OUZEL_HOOKS__X__COMMAND", '["s3cret"', "OUZEL_HOOKS__X__COMMAND in the environment: command is a list"),
    ],
)  # fmt: skip
def test_a_variable_that_is_wrong(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadConfig) as caught:
        load_settings(None, PLATFORMS)
    assert str(caught.value).startswith(words)
    assert "s3cret" not in str(caught.value)


def test_a_variable_of_any_table_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What begins like none of them is not looked at, so that nothing is read where nothing is set."""
    for table in (*plain_tables(), *OF_ALL):
        with monkeypatch.context() as patch:
            patch.setattr(load, "load_reading", lambda *_args: pytest.fail("noticed"))
            patch.setenv(f"OUZEL_{table.upper()}_X", "1")
            with pytest.raises(pytest.fail.Exception, match="noticed"):
                load_settings(None, PLATFORMS)


def test_an_option_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"^--port: port is at most 65535$"):
        settings(tmp_path, "", Override("--port", "server.port", "99999"))


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90s"), (900, "15m"), (86400 * 30, "30d"), (7200, "2h"), (0, "0s"), (1.5, "1500ms")]
)
def test_durations_are_written_as_they_are_read(seconds: float, text: str) -> None:
    assert written_duration(timedelta(seconds=seconds)) == text
    assert read(timedelta, text, Place(Path())) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("kind", "text"), [(bool, "maybe"), (int, "1.5"), (int, "9" * 40), (int, "²")])
def test_texts_that_are_no_number_and_no_truth(kind: object, text: str) -> None:
    with pytest.raises(WrongValue):
        read(kind, text, Place(Path(), is_text=True))


def test_lines_are_found_without_reading_the_file_over_and_over() -> None:
    text = 'a.b = 1\n[t]\n# x\nc = [\n 1,\n]\n"d" = """\n[z]\n"""\n[t.u]\ne = 2\n' + "".join(
        f"k{n} = 1\n" for n in range(3000)
    )
    lines = lines_of(text)
    told = {".".join(keys): line for keys, line in lines.items() if "k" not in keys[-1]}
    assert told == {"a": 1, "a.b": 1, "t": 2, "t.c": 4, "t.d": 7, "t.u": 10, "t.u.e": 11}
    assert lines["t", "u", "k2999"] == 3011


def test_the_example_is_what_counts_anyway(tmp_path: Path) -> None:
    names = [platform.name for platform in registry()]
    text, nothing = example(), load_settings(None, names)
    assert replace(load_settings(write(tmp_path, text), names), path=None) == nothing

    taken = re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE)
    reading = load_reading(write(tmp_path, taken), names)

    assert replace(reading.settings, path=None, hooks={}, roots={}, platforms=nothing.platforms) == nothing
    assert reading.settings.platforms.of("bilibili") == nothing.platforms.of("bilibili")
    assert reading.settings.hooks["after-recording"].command
    keys = re.findall(r"^#\w+ = ", text, re.MULTILINE)
    assert len(reading.given) == len(keys) > 40
    assert len(re.findall(r"^# .*\n#\w+ = ", text, re.MULTILINE)) == len(keys), "every key has a comment"


# storage roots


def test_roots_are_named_and_have_what_storage_says_where_they_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_STORAGE__ROOTS__NAS__MIN_FREE", "2GiB")
    found = settings(
        tmp_path,
        """
        [storage]
        recordings = "media"
        min_free = "1GiB"
        [storage.roots.nas]
        path = "nas"
        public_url = "https://media.example.org/"
        [storage.roots.second-disk]
        path = "/mnt/b"
        [storage.roots.recordings]
        public_url = "https://media.example.org/first"
        """,
    )
    gib, roots = 1 << 30, storage_roots(found)
    assert [(name, root.path, root.min_free) for name, root in roots.items()] == [
        ("recordings", tmp_path / "media", gib), ("nas", tmp_path / "nas", 2 * gib), ("second-disk", Path("/mnt/b"), gib),
    ]  # fmt: skip
    assert (roots["nas"].public_url, roots["recordings"].public_url[-5:]) == ("https://media.example.org", "first")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[storage.roots.nas]\nmin_free = '1GiB'", "line 1: [storage.roots.nas] has no path"),
        ("[storage.roots.nas]", "line 1: [storage.roots.nas] has no path"),
        ("[storage.roots.NAS]\npath = '/x'", "line 1: [storage.roots.NAS]: a name has small letters"),
        ("[storage.roots.recordings]\npath = '/x'", "the folder of this root stands in [storage] recordings"),
        ("[storage.roots.nas]\npath = '/x'\npth = 1", "line 3: [storage.roots.nas] has no key pth; did you mean path?"),
        ("[storage]\nroots = 1", "line 2: roots is a table: [storage.roots]"),
        (
            "[storage]\nrecordings = '/x'\n[storage.roots.nas]\npath = '/x/y'",
            "the storage root nas (/x/y) is in recordings",
        ),
        ("[storage.roots.a]\npath = '/x'\n[storage.roots.b]\npath = '/y/../x'", "the storage root a (/x) is in b"),
    ],
)
def test_roots_that_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadConfig) as told:
        settings(tmp_path, text)
    assert words in str(told.value)


def test_the_reference_has_the_example() -> None:
    """`OUZEL_WRITE_GOLDEN=1` writes it there."""
    before, rest = REFERENCE.read_text().split("```toml\n", 1)
    page = f"{before}```toml\n{example()}```{rest.split('```', 1)[1]}"
    if os.environ.get("OUZEL_WRITE_GOLDEN"):
        REFERENCE.write_text(page)
    assert REFERENCE.read_text() == page


def test_profiles_of_downloads_are_usual_but_for_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_DOWNLOAD__PROFILES__FAST__RETRIES", "7")
    found = settings(
        tmp_path, "[download]\nfolder = 'films'\nprofile = 'fast'\n[download.profiles.low-bandwidth]\nconnections = 1"
    )
    assert (found.download.folder, found.download.profile, found.download.at_once) == (tmp_path / "films", "fast", 3)
    assert (found.profiles["fast"].connections, found.profiles["fast"].retries) == (16, 7)
    assert (found.profiles["low_bandwidth"].connections, found.profiles["low_bandwidth"].retries) == (1, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[download.profiles.mine]\nretries = 1", "line 1: [download.profiles] has no key mine"),
        ("[download.profiles.fast]\nthreads = 1", "line 2: [download.profiles.fast] has no key threads"),
        ("[download]\nconnections = 17", "line 2: connections is at most 16"),
        ("[download]\nprofile = 'faster'", "line 2: profile takes"),
    ],
)
def test_what_is_wrong_with_downloads_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadConfig, match=re.escape(words)):
        settings(tmp_path, text)


def test_what_is_usual_is_what_the_engine_takes_for_it() -> None:
    rules = download_rules(load.with_folders(Settings()))
    assert rules.profiles == {str(name): pace for name, pace in PROFILES.items()}
    assert (rules.pace, rules.most_connections) == (Pace(), MOST_CONNECTIONS)
