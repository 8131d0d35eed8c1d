"""Settings of channels: layers, what is refused, filters, names."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from ouzel.base.errors import BadOption
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import (
    DEFAULTS,
    NAMES,
    ChannelSettings,
    effective,
    parse_layer,
    render_layer,
    wants,
)
from ouzel.model.naming import CHANNEL_FIELDS, check_template

_DOC = {
    "mode": "notify", "quality": ["1080p60", "best"], "split_after_s": 1800.0, "priority": -3, "pin": True,
    "schedule": [{"days": ["mon"], "from": "20:00", "to": "23:30"}], "headers": [["Referer", "https://x.example/"]],
    "title_exclude": ["/re(run|play)/"], "format": "mp4",
}  # fmt: skip


def test_a_layer_comes_back_as_it_was_written() -> None:
    assert render_layer(parse_layer(_DOC)) == _DOC


def test_every_default_is_one_that_may_be_set() -> None:
    doc = render_layer({each.name: getattr(DEFAULTS, each.name) for each in fields(ChannelSettings)})
    assert parse_layer(doc) == {name: getattr(DEFAULTS, name) for name in NAMES}
    check_template(DEFAULTS.template, CHANNEL_FIELDS)


def test_the_nearest_layer_counts_and_is_named() -> None:
    found = effective(
        [
            ("channel", parse_layer({"quality": ["worst"]})),
            ("platform:huya", parse_layer({"quality": ["hd"], "format": "mp4"})),
            ("global", parse_layer({"format": "ts", "split_after_s": 60})),
        ]
    )
    assert (found.settings.quality, found.settings.format, found.settings.split_after_s) == (("worst",), "mp4", 60.0)
    assert found.settings.park_s == 80.0
    assert [found.sources[name] for name in ("quality", "format", "split_after_s", "park_s")] == [
        "channel", "platform:huya", "global", "default",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ({"qualty": ["best"]}, "no setting qualty; did you mean quality?"),
        ({"xyzzy": 1}, "no setting xyzzy$"),
        ({"headers": {"a": "b"}}, r'headers is a list: \[\["Name", "value"\], …\]'),
        ({"title_include": "x"}, r'title_include is a list: \["…", …\]'),
        ({"quality": []}, "one entry"),
        ({"quality": [3]}, "list of texts"),
        ({"mode": "always"}, "record, notify or manual"),
        ({"format": "avi"}, "format is ts"),
        ({"split_after_s": -1}, "from 1 to"),
        ({"split_after_s": True}, "is a number"),
        ({"split_bytes": 1.5}, "whole number"),
        ({"pin": "yes"}, "true or false"),
        ({"codecs": ["h263"]}, "no codec"),
        ({"title_include": ["/[/"]}, "no regular expression"),
        ({"template": "{nobody}"}, "no field"),
        ({"headers": [["Bad Name", "x"]]}, "headers are"),
        ({"cookies": "a=b\nc=d"}, "one line"),
        ({"schedule": [{"days": ["xyz"]}]}, "is no day"),
    ],
)
def test_what_cannot_be_set_is_told_with_its_place(doc: dict[str, object], words: str) -> None:
    with pytest.raises(BadOption, match=words) as caught:
        parse_layer(doc)
    assert caught.value.context["pointer"] == f"/{next(iter(doc))}"


def test_secrets_are_not_in_the_text_of_settings() -> None:
    shown = repr(
        ChannelSettings(cookies="SID=abc", password="hunter2", headers=(("X", "t0ken"),), proxy="http://u:p@h")
    )
    assert not any(secret in shown for secret in ("abc", "hunter2", "t0ken", "u:p"))


@pytest.mark.parametrize(
    ("title", "category", "expected"),
    [
        ("Ranked games", "Chess", None),
        ("RERUN: finals", "Chess", "title"),
        ("Ranked games", "Cooking", "category"),
        ("Casual", "Chess", "title"),
    ],
)
def test_filters_say_what_they_do_not_want(title: str, category: str, expected: str | None) -> None:
    settings = ChannelSettings(
        title_include=("ranked", "finals"), title_exclude=("/^re-?run/",), category_include=("chess",)
    )
    assert wants(settings, title, category) == expected


def _channel(**known: object) -> Channel:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Channel("c1", ("https://x.example/1",), "huya", "Old", "Old", at, at, **known)  # type: ignore[arg-type]


def test_a_rename_keeps_the_old_name_as_an_alias() -> None:
    assert _channel().renamed("New") == {"name": "New", "aliases": ("Old",)}
    assert _channel(aliases=("New", "Older")).renamed("New") == {"name": "New", "aliases": ("Older", "Old")}
    assert _channel().renamed(" Old ") == {}
    assert _channel().renamed("") == {}


def test_a_name_of_the_users_stays() -> None:
    named = _channel(named_by_user=True)
    assert named.renamed("Theirs") == {"aliases": ("Theirs",)}
    assert _channel(named_by_user=True, aliases=("Theirs",)).renamed("Theirs") == {}
