"""`ouzel config`: what is set, from where, and no secret of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.command import Done, ouzel

from ouzel.config.load import load_settings

FILE = """\
[server]
port = 9000
[hooks.tell-me]
command = ["curl", "https://api.example.org/send?token=s3cret"]
[platforms]
proxy = "http://me:s3cret@127.0.0.1:1"
[platforms.bilibili]
cookies = "SESSDATA=s3cret"
refuse_codecs = ["av1"]
"""


def config(tmp_path: Path, *words: str, **variables: str) -> Done:
    path = tmp_path / "ouzel.toml"
    path.write_text(FILE)
    env = {"OUZEL_CONFIG": str(path), "OUZEL_WATCH__INTERVAL": "45s", **variables}
    return ouzel(*words, cwd=tmp_path, env=env, command="config")


def test_each_value_comes_with_its_place(tmp_path: Path) -> None:
    done = config(tmp_path, "--json")

    assert (done.code, done.err) == (0, "")
    told = {doc["key"]: doc for doc in done.told("setting")}
    file = str(tmp_path / "ouzel.toml")
    expected = {
        "server.port": (9000, "file", file, 2),
        "server.host": ("127.0.0.1", "default", "", None),
        "watch.interval": ("45s", "environment", "OUZEL_WATCH__INTERVAL", None),
        "hooks.tell-me.command": (["curl", "https://api.example.org/send?token=***"], "file", file, 4),
        "hooks.tell-me.shape": ("ouzel", "default", "", None),
        "platforms.proxy": ("***", "file", file, 6),
        "platforms.bilibili.cookies": ("***", "file", file, 8),
        "platforms.bilibili.refuse_codecs": (["av1"], "file", file, 9),
    }
    for key, fields in expected.items():
        assert tuple(told[key][name] for name in ("value", "from", "name", "line")) == fields, key
    assert "s3cret" not in done.out


@pytest.mark.parametrize(("language", "words"), [("en", "ouzel.toml, line 2"), ("zh", "ouzel.toml 第 2 行")])
def test_people_read_a_line_for_each(tmp_path: Path, language: str, words: str) -> None:
    done = config(tmp_path, OUZEL_LANG=language)
    [line] = [line for line in done.out.splitlines() if line.startswith("server.port")]
    assert line.startswith("server.port = 9000   ")
    assert line.endswith(words)
    assert "s3cret" not in done.out


def test_the_path(tmp_path: Path) -> None:
    assert config(tmp_path, "path").out == f"{tmp_path}/ouzel.toml\n"
    other = config(tmp_path, "path", OUZEL_CONFIG="", XDG_CONFIG_HOME=str(tmp_path / "none"))
    assert other.out == f"{tmp_path}/none/ouzel/ouzel.toml\n"
    assert "no such file yet" in other.err


def test_the_example_can_be_used(tmp_path: Path) -> None:
    (file := tmp_path / "example.toml").write_text(config(tmp_path, "example").out)
    assert load_settings(file, ["bilibili"]).server.port == 8521


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    done = config(tmp_path, OUZEL_SERVER__PORT="none")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "OUZEL_SERVER__PORT in the environment: port is a whole number" in done.err
