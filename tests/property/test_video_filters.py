"""A filter is one text: what is written is read as the same, and whatever is typed is a filter or an error that says where."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import BadOption
from ouzel.model.video_filters import (
    KEYS,
    Between,
    Day,
    DayKey,
    Flag,
    FlagKey,
    ListKey,
    OneOf,
    Tagged,
    TagKey,
    Term,
    VideoFilter,
    Words,
    parse_filter,
    write_filter,
)

_SIGN = st.booleans()
_TEXT = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12).map(
    lambda text: " ".join(text.split())
)
_TEXT = _TEXT.filter(bool)
_LOWER = _TEXT.map(str.lower).filter(lambda text: text == text.lower())


def _lists(key: ListKey) -> st.SearchStrategy[Term]:
    values = {"type": st.sampled_from(["recording", "download", "import"]), "site": _LOWER, "codec": _LOWER}.get(
        key, _TEXT
    )
    return st.builds(OneOf, st.just(key), st.lists(values, min_size=1, max_size=3, unique=True).map(tuple), _SIGN)


def _ranges() -> st.SearchStrategy[Term]:
    def make(key: str, a: int, b: int, shape: int, wanted: bool) -> Term:
        low, high = sorted((a, b))
        ends = [(low, high, False, False), (low, None, shape % 2 == 0, False), (None, high, False, shape % 2 == 0)]
        first, last, over, under = ends[shape % 3]
        return Between(key, first, last, over, under, wanted)  # type: ignore[arg-type]

    number = st.integers(10, 99_999)
    return st.builds(make, st.sampled_from(["res", "dur", "size", "gaps"]), number, number, st.integers(0, 5), _SIGN)


_DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
_WHEN = st.one_of(
    _DAYS,
    st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(0, 9999).map(lambda hours: timedelta(hours=hours)),
)
_TERMS: st.SearchStrategy[Term] = st.one_of(
    st.builds(Words, _TEXT, _SIGN),
    *(_lists(key) for key in get_args(ListKey)),
    st.builds(
        Tagged,
        st.sampled_from(get_args(TagKey)),
        st.lists(_TEXT, min_size=1, max_size=3, unique=True).map(tuple),
        _SIGN,
    ),
    _ranges(),
    st.builds(Day, st.sampled_from([each for each in get_args(DayKey) if each != "on"]), _WHEN, _SIGN),
    st.builds(Day, st.just("on"), _DAYS, _SIGN),
    st.builds(Flag, st.sampled_from(get_args(FlagKey)), _SIGN),
)


@given(st.lists(_TERMS, max_size=6, unique=True))
def test_what_is_written_is_read(terms: list[Term]) -> None:
    which = VideoFilter(tuple(terms))
    text = write_filter(which)
    assert parse_filter(text) == which
    assert write_filter(parse_filter(text)) == text


_ODD = st.lists(
    st.sampled_from(
        [*(f"{key}:" for key in KEYS), *'",-:：()*\\', " ", "NEAR(", "AND", "a", "猫", "1", ">=", "2026-01-01", "yes"]
    ),
    max_size=12,
).map("".join)


@given(_ODD | st.text(max_size=40))
def test_whatever_is_typed_is_a_filter_or_an_error_that_says_where(text: str) -> None:
    try:
        which = parse_filter(text)
    except BadOption as exc:
        position = exc.context["position"]
        assert isinstance(position, int)
        assert 0 <= position <= len(text)
    else:
        assert parse_filter(write_filter(which)) == which


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("live -tag:seen res:>=1080p dur:10m-2h", "live -tag:seen res:>=1080 dur:10m-2h"),
        ("IS:live Site:Bilibili  size:>1000000", "is:running site:bilibili size:>1MB"),
        ('tag：猫,"two  words"', 'tag:猫,"two words"'),
        ("Re:Zero https://a.example 12:30", '"Re:Zero" https://a.example 12:30'),
        ("res:4k gaps:>=2 watched:started -is:pinned", "res:2160 gaps:>=2 watched:started -is:pinned"),
        ("a a gaps:no after:2w before:2026-01-31", "a gaps:no after:14d before:2026-01-31"),
        ('-"not this" "" -', '-"not this" "-"'),
    ],
)
def test_spellings(text: str, spelled: str) -> None:
    assert write_filter(parse_filter(text)) == spelled


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("cats tga:x", 5, "tag is one"),
        ("re:zero", 0, '"re:zero"'),
        ("dur:10m", 0, "dur:>10m"),
        ("res:2h-1h", 0, "number of lines"),
        ("dur:2h-1h", 0, "the smaller one comes first"),
        ("type:film", 0, "recording, download, import"),
        ("is:pined", 0, "is:pinned"),
        ('x tag:"a"b', 9, "quotes"),
        ("tag:", 0, "nothing behind"),
        ("after:yesterday", 0, "2026-01-31"),
        ("after:2026-02-30", 0, "no day"),
        ("watched:maybe", 0, "started"),
        ("gaps:many", 0, "gaps:>3"),
        ("x" * 2001, 2000, "2000 characters"),
        (" ".join(f"w{number}" for number in range(61)), 233, "60 terms"),
    ],
)
def test_errors_say_where_and_what(text: str, position: int, says: str) -> None:
    with pytest.raises(BadOption) as told:
        parse_filter(text)
    assert told.value.context["position"] == position
    assert says in str(told.value)
