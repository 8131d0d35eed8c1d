"""The settings file: what stands in it, what goes before it, and what is said of one that is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from tests.command import environment

from ouzel.base.errors import BadConfig
from ouzel.config.load import load_settings
from ouzel.config.settings import PlatformDefaults, PlatformSettings, Settings
from ouzel.platforms.registry import registry

PLATFORMS = ("bilibili", "twitch", "pixiv-sketch")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the user of this machine has set."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OUZEL_CONFIG", raising=False)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "ouzel.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def settings(tmp_path: Path, text: str | bytes) -> Settings:
    return load_settings(write(tmp_path, text), PLATFORMS)


def test_a_table_for_each_platform_and_one_for_all(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        [platforms]
        proxy = "socks5h://127.0.0.1:1080"
        codecs = ["hevc", "h264"]
        [platforms.bilibili]
        cookies = "SESSDATA=abc"
        refuse_codecs = ["av1"]
        cdn = "cn-gotcha204"
        [platforms.pixiv-sketch]
        proxy = "direct"
        login = "me"
        password = "sesame"
        user_agent = "Mozilla/5.0"
        """,
    )

    assert found.platforms.of("bilibili") == PlatformSettings(
        "socks5h://127.0.0.1:1080", "", ("hevc", "h264"), ("av1",), "cn-gotcha204", "SESSDATA=abc"
    )
    sketch = found.platforms.of("pixiv-sketch")
    assert (sketch.proxy, sketch.login, sketch.password, sketch.user_agent) == ("direct", "me", "sesame", "Mozilla/5.0")
    assert found.platforms.of("twitch").proxy == "socks5h://127.0.0.1:1080"
    assert "sesame" not in repr(found)
    assert "abc" not in repr(found)


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_PLATFORMS__BILIBILI__PASSWORD", "12345")
    monkeypatch.setenv("OUZEL_PLATFORMS__PIXIV_SKETCH__COOKIES", '{"a": 1}')
    monkeypatch.setenv("OUZEL_PLATFORMS__CODECS", "av1, hevc")

    found = settings(tmp_path, "[platforms.bilibili]\nlogin = 'me'\npassword = 'other'").platforms

    assert (found.of("bilibili").login, found.of("bilibili").password) == ("me", "12345")
    assert found.of("pixiv-sketch").cookies == '{"a": 1}'
    assert found.of("twitch").codecs == ("av1", "hevc")
    assert load_settings(None, PLATFORMS).platforms.of("bilibili").password == "12345"


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[platforms]\ncdn = '{path.parent.name}'")
        return path

    def cdn(given: Path | None = None) -> str:
        return load_settings(given, PLATFORMS).platforms.defaults.cdn

    assert cdn() == ""
    put(tmp_path / "config" / "ouzel" / "ouzel.toml")
    assert cdn() == "ouzel"
    monkeypatch.setenv("OUZEL_CONFIG", str(put(tmp_path / "named" / "x.toml")))
    assert cdn() == "named"
    assert cdn(put(tmp_path / "flag" / "x.toml")) == "flag"


def test_paths_begin_at_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, "")
    assert found.path_of("cookies/b.txt") == tmp_path / "cookies" / "b.txt"
    assert found.path_of("/etc/x") == Path("/etc/x")
    assert found.path_of("~/x") == Path("~/x").expanduser()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[platforms.bilibili]\n\ncookeis = 's3cret'", "line 3: [platforms.bilibili] has no key cookeis; did you mean cookies?"),
        ("[platforms]\nbilibli.login = 's3cret'", "line 2: there is no platform bilibli; did you mean bilibili?"),
        ("[platforms.twitch]\nPROXY = 's3cret'", "line 2: [platforms.twitch] has no key PROXY; did you mean proxy?"),
        ("[platforms]\ncookies = 's3cret'", "line 2: cookies are set for one platform: [platforms.NAME]"),
        ("[platforms]\npassword = 's3cret'", "line 2: a password is set for one platform: [platforms.NAME]"),
        ("# a\n[platfroms.twitch]\nlogin = 's3cret'", "line 2: there is no table [platfroms]; did you mean platforms?"),
        ("[platforms.twitch]\ncodecs = [\n  'h264',\n  's3cret',\n]\n", "line 2: codecs takes 'h264', 'hevc', 'av1' or 'vp9'"),
        ("[platforms.twitch]\ncodecs = 5", "line 2: codecs is a list"),
        ("[platforms.twitch]\nlogin = 5", "line 2: login is a text, in quotation marks"),
        ("[platforms]\ntwitch = 's3cret'", "line 2: twitch is a table: [platforms.twitch]"),
        ("platforms = 's3cret'", "line 1: platforms is a table: [platforms]"),
        ("[platforms.twitch]\npassword = s3cret", "line 2, column 12: no TOML: Invalid value"),
        ("[platforms.twitch]\npassword = 's3cret", "line 2, column 19: no TOML: "),
        ("[platforms.twitch]\npassword = 's3cret'\npassword = 's3cret'", "line 3, column 20: no TOML: Cannot overwrite"),
        ("[platforms.twitch\npassword = 's3cret'", "line 1, column 18: no TOML: Expected ']'"),
        (b"\xff\xfe[\x00", "is not text in UTF-8"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("#" * 2_000_000, "is larger than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place_and_never_a_value(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(BadConfig) as caught:
        settings(tmp_path, text)

    told = str(caught.value)
    assert told.startswith(f"{tmp_path}/ouzel.toml{' ' if words.startswith('is') else ', '}{words}")
    assert "s3cret" not in told


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"line 2: login .*; .*line 3: .* no key pasword"):
        settings(tmp_path, "[platforms.twitch]\nlogin = 5\npasword = 'x'")


def test_a_variable_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_PLATFORMS__TWITCH__PASWORD", "s3cret")
    with pytest.raises(BadConfig) as caught:
        load_settings(None, PLATFORMS)
    assert str(caught.value).startswith("OUZEL_PLATFORMS__TWITCH__PASWORD in the environment: ")
    assert "did you mean password?" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"cannot read the settings in .*: no such file"):
        load_settings(tmp_path / "x.toml", PLATFORMS)


def test_that_nothing_is_set_costs_nothing(tmp_path: Path) -> None:
    code = "import sys; from ouzel.config.load import load_settings; load_settings(None, ()); print('pydantic' in sys.modules)"
    env = environment({"XDG_CONFIG_HOME": str(tmp_path)})
    assert subprocess.check_output([sys.executable, "-c", code], env=env) == b"False\n"


REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "config.md"


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    page = REFERENCE.read_text()
    lines = [line for line in page.splitlines() if line.startswith("    ") or not line]
    found = load_settings(write(tmp_path, "\n".join(lines)), [platform.name for platform in registry()]).platforms

    assert found.defaults.codecs == ("h264", "hevc")
    assert found.of("bilibili").proxy == "direct"
    assert found.of("soop").password_file == "~/.secrets/soop"


def test_every_key_is_documented() -> None:
    listed = {
        (found[1], bool(found[2]))
        for found in re.finditer(r"^\| `(\w+)`( \*)? \|", REFERENCE.read_text(), re.MULTILINE)
    }
    shared = {each.name for each in fields(PlatformDefaults)}
    assert listed == {(each.name, each.name in shared) for each in fields(PlatformSettings)}
