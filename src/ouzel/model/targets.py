"""Where messages go: a person's telephone, a group, a mailbox, another program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self, cast

from ouzel.base.errors import BadOption, BadUrl, SchemeRefused
from ouzel.base.urls import parse_url
from ouzel.model.notices import Severity
from ouzel.model.schedule import Window

MOST_NAME = 60
HIDDEN = "•••"
"""What is shown in place of a secret; in an edit it means: as it was."""
_MOST_TEXT, _MOST_WORDS = 4096, 100


class Kind(StrEnum):
    """Of the value of a field."""

    TEXT = "text"
    ADDRESS = "address"  # http or https
    WORDS = "words"
    YES = "yes"  # true or false
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of one sort of target, or of remote."""

    name: str
    kind: Kind = Kind.TEXT
    needed: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()


def setting(name: str, kind: Kind = Kind.TEXT, *choices: str) -> Setting:
    """`name!`: it is needed; `name*`: it is secret."""
    return Setting(name.rstrip("!*"), kind, "!" in name, "*" in name, choices)


_s, _A, _W, _Y, _N = setting, Kind.ADDRESS, Kind.WORDS, Kind.YES, Kind.NUMBER
_PROXY = _s("proxy*")
KINDS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        "xizhi": (_s("url!*", _A), _PROXY),
        "wecom": (_s("url!*", _A), _s("phones", _W), _s("at_all", _Y), _PROXY),
        "serverchan": (_s("key!*"), _s("base", _A), _PROXY),
        "dingtalk": (_s("url!*", _A), _s("secret*"), _s("phones", _W), _s("at_all", _Y), _PROXY),
        "telegram": (_s("token!*"), _s("chat!"), _s("silent", _Y), _s("base", _A), _PROXY),
        "email": (
            _s("server!"), _s("security", Kind.TEXT, "ssl", "starttls", "none"), _s("port", _N), _s("login"),
            _s("password*"), _s("from"), _s("from_name"), _s("to!", _W),
        ),
        "bark": (_s("url!*", _A), _s("level", Kind.TEXT, "active", "timeSensitive", "passive", "critical"), _s("sound"),
                 _s("group"), _PROXY),
        "ntfy": (_s("url!*", _A), _s("token*"), _s("tags", _W), _s("priority", _N), _s("email"), _PROXY),
        "pushplus": (_s("token!*"), _s("topic"), _s("base", _A), _PROXY),
        "webhook": (_s("url!*", _A), _s("secret*"), _PROXY),
        "apprise": (_s("url!*"),),
    }
)  # fmt: skip
"""Sorts of targets, and what each is told by."""


@dataclass(frozen=True, slots=True)
class Target:
    """How one is reached, and when it may be disturbed."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """JSON values by the names of `KINDS`. In the database secrets are sealed."""
    enabled: bool = True
    quiet: tuple[Window, ...] = ()
    """Hours in which nothing is sent: it waits, and comes as one message."""
    time_zone: str = ""
    """Of the quiet hours; empty: the machine's."""
    loud: Severity | None = None
    """What is as severe as that, or more, is sent in quiet hours too; None: nothing is."""

    @classmethod
    def parse(cls, doc: Mapping[str, Any]) -> Self:
        """Without looking at `settings`. Raises: BadOption, whose context has `pointer`."""
        unknown = [name for name in doc if name not in cls.__slots__]
        if unknown:
            raise BadOption(f"a target has no {unknown[0][:40]}; it has {', '.join(cls.__slots__)}", pointer="")
        kind = str(doc.get("kind", ""))
        if kind not in KINDS:
            near = get_close_matches(kind, KINDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(KINDS)}"
            raise BadOption(f"there is no sort of target {kind[:40]!r}{hint}", pointer="/kind")
        settings, quiet, loud = doc.get("settings", {}), doc.get("quiet", []), doc.get("loud")
        if not isinstance(settings, Mapping):
            raise BadOption("settings of a target are a table", pointer="/settings")
        if loud is not None and loud not in {*Severity}:
            raise BadOption(f"loud is one of {', '.join(Severity)}, or null", pointer="/loud")
        return cls(
            kind,
            dict(cast("Mapping[str, Any]", settings)),
            enabled=yes_or_no(doc, "enabled", usual=True),
            quiet=_windows(quiet),
            time_zone=text_of(doc, "time_zone"),
            loud=None if loud is None else Severity(loud),
        )

    def doc(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {
            "kind": self.kind, "settings": dict(self.settings), "enabled": self.enabled,
            "quiet": [each.doc() for each in self.quiet], "time_zone": self.time_zone,
            "loud": self.loud.value if self.loud else None,
        }  # fmt: skip

    def shown(self) -> dict[str, Any]:
        """The same without its secrets."""
        secret = secrets_of(self.kind)
        return self.doc() | {"settings": {k: HIDDEN if k in secret and v else v for k, v in self.settings.items()}}


def secrets_of(kind: str) -> frozenset[str]:
    """Names of the fields that are never shown."""
    return frozenset(each.name for each in KINDS.get(kind, ()) if each.secret)


def check_settings(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """In the clear; without those that are empty. Raises: BadOption, whose context has `pointer`."""
    return check_form(f"a target of {kind}", KINDS[kind], given)


def check_form(noun: str, form: Sequence[Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The same of any form. Raises: BadOption, whose context has `pointer`."""
    known = {each.name: each for each in form}
    found: dict[str, Any] = {}
    for name, value in given.items():
        field_ = known.get(name)
        if field_ is None:
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
            raise BadOption(f"{noun} has no {name[:40]}{hint}", pointer=f"/settings/{name}")
        if value not in (None, "", [], ()):
            found[name] = _value(field_, value)
    if missing := [each.name for each in known.values() if each.needed and each.name not in found]:
        raise BadOption(f"{noun} needs {', '.join(missing)}", pointer=f"/settings/{missing[0]}")
    return found


def _value(setting: Setting, value: object) -> object:
    """Never says the value itself: it may be a secret."""
    name, pointer = setting.name, f"/settings/{setting.name}"
    match setting.kind:
        case Kind.YES:
            if not isinstance(value, bool):
                raise BadOption(f"{name} is true or false", pointer=pointer)
        case Kind.NUMBER:
            most = 5 if name == "priority" else 65535
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
                raise BadOption(f"{name} is a whole number from 1 to {most}", pointer=pointer)
        case Kind.WORDS:
            words = cast("list[object]", value) if isinstance(value, list | tuple) else []
            if not words or len(words) > _MOST_WORDS or not all(_is_line(each) for each in words):
                raise BadOption(f"{name} is a list of texts", pointer=pointer)
            return [str(each).strip() for each in words]
        case Kind.TEXT | Kind.ADDRESS:
            if not _is_line(value):
                raise BadOption(f"{name} is a text of one line", pointer=pointer)
            _check_text(setting, text := str(value).strip(), pointer)
            return text
    return value


def _check_text(setting: Setting, text: str, pointer: str) -> None:
    if setting.choices and text not in setting.choices:
        raise BadOption(f"{setting.name} is one of {', '.join(setting.choices)}", pointer=pointer)
    try:
        if setting.kind is Kind.ADDRESS:
            parse_url(text)
        elif setting.name == "proxy":
            parse_url(text, schemes=("http", "socks5", "socks5h"))
    except (BadUrl, SchemeRefused):  # whose words show the address
        raise BadOption(f"{setting.name} is no address that can be used", pointer=pointer) from None
    if setting.kind is not Kind.ADDRESS and setting.secret and setting.name in ("token", "key") and "/" in text:
        raise BadOption(f"{setting.name} is no address", pointer=pointer)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _MOST_TEXT and not any(c in value for c in "\r\n\0")


def _windows(value: object) -> tuple[Window, ...]:
    if not isinstance(value, list | tuple) or len(cast("list[object]", value)) > _MOST_WORDS:
        raise BadOption("quiet is a list of windows", pointer="/quiet")
    try:
        return tuple(Window.parse(each) for each in cast("list[object]", value))
    except BadOption as exc:
        raise BadOption(str(exc), pointer="/quiet") from None


def yes_or_no(doc: Mapping[str, Any], name: str, *, usual: bool) -> bool:
    """Raises: BadOption."""
    value = doc.get(name, usual)
    if not isinstance(value, bool):
        raise BadOption(f"{name} is true or false", pointer=f"/{name}")
    return value


def text_of(doc: Mapping[str, Any], name: str, *, most: int = 200) -> str:
    """Empty where there is none. Raises: BadOption."""
    value = doc.get(name, "")
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise BadOption(f"{name} is a text of {most} characters at most", pointer=f"/{name}")
    return value


def plain_name(text: str, noun: str) -> str:
    """As it is stored. Raises: BadOption."""
    name = " ".join(text.split())
    if not name or len(name) > MOST_NAME or not name.isprintable() or "/" in name:
        raise BadOption(f"the name of a {noun} has 1 to {MOST_NAME} characters, and no /", pointer="/name")
    return name
