"""Names from outside become safe file names."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import BadOption
from ouzel.model.naming import MAX_NAME_BYTES, check_template, part_name, render_name, safe_name

FIELDS = {"name": "show/one", "host": "h", "quality": "best", "start": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}


def test_a_template_makes_folders_but_a_field_never_does() -> None:
    assert render_name("{host}/{name}_{start:%Y%m%d}", FIELDS) == "h/show_one_20260102"
    assert render_name("../../{name}", FIELDS) == "show_one"


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadOption, match=r"\{nmae\}.*\{name\}"):
        check_template("{nmae}")
    with pytest.raises(BadOption, match="cannot be read"):
        check_template("{name")
    with pytest.raises(BadOption, match="empty name"):
        check_template("/../")


@pytest.mark.parametrize("template", ["{name:99999999999}", "{name:x>1000000}", "{name:.9999}", "x" * 1001])
def test_what_would_fill_the_memory_is_refused(template: str) -> None:
    with pytest.raises(BadOption, match="name template"):
        check_template(template)


def test_parts_are_numbered_from_the_second_or_from_the_first() -> None:
    assert [part_name("s", n, numbered=False) for n in (1, 2)] == ["s", "s-002"]
    assert part_name("s", 1, numbered=True) == "s-001"


@pytest.mark.parametrize(
    ("text", "name"),
    [("a/b\\c:d", "a_b_c_d"), ("...", "recording"), (" x. ", "x"), ("con", "_con"), ("NUL.txt", "_NUL.txt"),
     ("直播间 🎮", "直播间 🎮"), ("a\x00\x1b[31mb", "a[31mb"), (".hidden", "hidden")],
)  # fmt: skip
def test_safe_names(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text(max_size=400))
def test_any_text_gives_one_usable_component(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert name not in {".", ".."}
    assert not name.startswith(".")
    assert name == name.rstrip(". ")
    assert safe_name(name) == name
