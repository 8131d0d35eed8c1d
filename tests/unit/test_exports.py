"""Everything that is set, as text; and back."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import BadConfig
from ouzel.config.exports import FORMAT, Export, ExportedChannel, parse_export, render_export
from ouzel.config.importers.detect import read_foreign
from ouzel.model.channel import Channel
from ouzel.model.live import Identity
from ouzel.platforms.registry import registry
from ouzel.services.import_files import SourceFile
from ouzel.services.import_plan import ImportPlan
from ouzel.services.importing import exported, new_channel
from ouzel.services.imports import plan_import

HEAD = f'format = "{FORMAT}"\n'
EXPORT = Export(
    channels=(
        ExportedChannel(("https://live.bilibili.com/1",)),
        ExportedChannel(
            ("https://www.huya.com/2", "https://live.douyin.com/2"),
            name='a "b"\n\\',
            watch=False,
            labels=("x",),
            folder="小明",
            aliases=("old",),
            identity="huya:2",
            settings={
                "quality": ["uhd", "best"],
                "schedule": [{"days": ["sat"], "from": "20:00", "to": "02:00"}],
                "headers": [["Referer", "https://x"]],
                "split_after_s": 1800.5,
                "keep_ads": True,
                "cookies": "a=secret",
            },
        ),
        ExportedChannel(("https://cam.example.org/live",), name="cam"),
    ),
    layers={"global": {"split_bytes": 1 << 30}, "platform:douyin": {"cookies": "ttwid=secret"}},
)
texts = st.text(max_size=8)
values = st.recursive(
    st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
layers = st.dictionaries(texts, values, max_size=3)
words = st.lists(texts, max_size=3).map(tuple)
channels = st.builds(
    ExportedChannel,
    addresses=st.lists(texts, min_size=1, max_size=2).map(tuple),
    name=texts,
    watch=st.booleans(),
    labels=words,
    folder=texts,
    aliases=words,
    identity=texts,
    settings=layers,
)


def plan(text: str) -> ImportPlan:
    return plan_import([SourceFile(Path("ouzel-export.toml"), text.encode())], registry())


@given(st.lists(channels, max_size=3).map(tuple), st.dictionaries(texts, layers, max_size=3))
def test_what_is_written_is_read_again(found: tuple[ExportedChannel, ...], shared: dict[str, dict[str, Any]]) -> None:
    export = Export(found, shared)
    assert parse_export(render_export(export)) == export


def test_it_is_toml_without_what_is_as_usual() -> None:
    text = render_export(EXPORT)
    doc = tomllib.loads(text)
    assert doc["channels"][0] == {"addresses": ["https://live.bilibili.com/1"]}
    assert text.startswith(f"# Channels and settings of Ouzel; `ouzel import` reads this file.\n{HEAD}")
    assert '"platform:douyin"' in text


def test_secrets_are_left_out_where_that_is_asked_for() -> None:
    text = render_export(EXPORT, hidden={"cookies"})
    assert "secret" not in text
    assert text.count("# cookies is set, and left out") == 2
    assert "cookies" not in parse_export(text).channels[1].settings


def test_an_import_of_it_gives_the_same_channels() -> None:
    text = render_export(EXPORT)
    assert read_foreign(text.encode("utf-8-sig")).format == "ouzel"
    found = plan(text)
    assert found.problems == found.notices == ()
    assert found.layers == EXPORT.layers
    assert [(each.platform, each.quality, each.paused) for each in found.channels] == [
        ("bilibili", "best", False),
        ("huya", "uhd", True),
        ("direct", "best", False),
    ]
    news = [new_channel(each) for each in found.channels]
    assert [(new.addresses, new.watch, new.labels, new.folder) for new in news] == [
        (each.addresses, each.watch, each.labels, each.folder) for each in EXPORT.channels
    ]
    assert [new.settings for new in news] == [each.settings for each in EXPORT.channels]
    assert [each.line for each in found.channels] == [
        number for number, line in enumerate(text.split("\n"), 1) if line == "[[channels]]"
    ]


def test_what_a_setting_cannot_have_is_a_problem() -> None:
    text = (
        HEAD
        + '[layers.global]\ninterval_s = 1\n[[channels]]\naddresses = ["https://yy.com/1"]\n[channels.settings]\nx = 1\n'
    )
    found = plan(text)
    assert [(each.of.line, each.of.code) for each in found.problems] == [(0, "bad_value"), (4, "bad_value")]
    assert [each.url for each in found.channels] == ["https://www.yy.com/1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "this is no export"),
        ('format = "ouzel export 2"', "this is no export that can be read"),
        (HEAD + "x = [", "line 2: no TOML"),
        (HEAD + "colour = 1", "the export has no key colour"),
        (HEAD + "channels = 1", r"channels are written \[\[channels\]\]"),
        (HEAD + "[[channels]]", "channel 1 has no addresses"),
        (HEAD + "[[channels]]\naddresses = 'x'", "addresses of channel 1 is a list"),
        (HEAD + "[[channels]]\naddresses = ['x']\nname = 1", "name of channel 1 is a text"),
        (HEAD + "[[channels]]\naddresses = ['x']\nwatch = 1", "watch of channel 1 is true or false"),
        (HEAD + "[[channels]]\naddresses = ['x']\ncolour = 1", "channel 1 has no key colour"),
        (HEAD + "layers = 1", "layers is a table"),
        (HEAD + "[layers]\nglobal = 1", "layers.global is a table"),
    ],
)
def test_what_cannot_be_read(text: str, told: str) -> None:
    with pytest.raises(BadConfig, match=told):
        parse_export(text)
    if text.startswith("format"):
        assert [each.of.code for each in plan(text).problems] == ["syntax"]


def test_a_channel_of_the_database_as_it_is_exported() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    channel = Channel("id", ("https://yy.com/1",), "yy", "told", "told", at, at, identity=Identity("yy", "1"))
    assert exported(channel, {}) == ExportedChannel(channel.addresses, folder="told", identity="yy:1")
