"""What becomes of the keys of a foreign file: tables, and the reading of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ouzel.config.importers.result import ImportedSetting, Notice, NoticeCode, Problem, Value
from ouzel.config.importers.tree import Node

Kind: TypeAlias = Literal[
    "text",
    "list",
    "yes",
    "no",
    "seconds",
    "days",
    "gib",
    "mib",
    "number",
    "quality",
    "format",
    "words",
    "proxy",
    "bool",
]
"""`yes` and `no` are switches, named for what counts where nothing readable stands there."""
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Key:
    """What becomes of one."""

    target: str | None
    kind: Kind = "text"
    notice: NoticeCode | None = None
    """Why it is not taken, or not as it is."""
    about: str = ""
    """What the notice names: a place, or the keys with which it counts."""
    is_secret: bool = False


def key_table(rows: str, spelling: Callable[[str], str] = str) -> dict[str, Key]:
    """`key -> target, kind, notice, about`, one a line; `!` before a target: a secret."""
    found: dict[str, Key] = {}
    for row in rows.strip().splitlines():
        key, _, rest = row.partition(" -> ")
        target, kind, notice, about = (each.strip() for each in (rest + ",,,").split(",")[:4])
        found[spelling(key)] = Key(
            target.lstrip("!") or None,
            kind or "text",  # pyright: ignore[reportArgumentType] - a test compares all rows with `Kind`
            notice or None,  # pyright: ignore[reportArgumentType]
            about,
            target.startswith("!"),
        )
    return found


def proxy_address(text: str) -> str:
    """With a scheme."""
    return text if not text or "://" in text else f"http://{text}"


class KeyReader:
    """Takes the keys of a tree by a table; what is in none of its rows is named in a notice."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = keys
        self.notices: list[Notice] = []
        self.problems: list[Problem] = []

    def settings(self, node: Node, before: str = "", ignore: frozenset[str] = frozenset()) -> Iterator[ImportedSetting]:
        """All of a table, and of the tables in it; their keys are written `recording.retention_days`."""
        for name in node.repeated:
            self.notices.append(Notice(node.line, "key_repeated", {"key": before + name, "line": ""}))
        for name, each in (node.table or {}).items():
            if not before and name in ignore:
                continue
            if each.table is not None:
                yield from self.settings(each, f"{before}{name}.")
            else:
                yield self._one(before + name, each)

    def refuse(self, table: Mapping[str, Node], known: Collection[str], before: str) -> None:
        """Name the keys of an item of a list that are not known."""
        for name, node in table.items():
            if name not in known:
                self.notices.append(Notice(node.line, "key_unknown", {"key": before + name}))

    def _one(self, name: str, node: Node) -> ImportedSetting:
        key = self._keys.get(name) or self._pattern(name)
        if key is None:
            self.notices.append(Notice(node.line, "key_unknown", {"key": name}))
            return ImportedSetting(name, node.text, node.line, None, is_secret=True)
        value = self._value(name, node, key.kind)
        if key.notice and (key.target is None or value is not None):
            about = {"target": key.target} if key.target else {"about": key.about}
            self.notices.append(Notice(node.line, key.notice, {"key": name, **about}))
        is_secret = key.is_secret or (key.kind == "proxy" and "@" in str(value))
        return ImportedSetting(name, value, node.line, key.target, is_secret)

    def _pattern(self, name: str) -> Key | None:
        """Of keys below a name that the user chose: `profiles.*.threads`."""
        first, _, rest = name.partition(".")
        chosen, _, last = rest.partition(".")
        key = self._keys.get(f"{first}.*.{last}")
        if key is None or key.target is None:
            return key
        return Key(key.target.replace("*", chosen), key.kind, key.notice, key.about, key.is_secret)

    def _value(self, name: str, node: Node, kind: Kind) -> Value:
        text = node.text
        if node.items is not None or node.table is not None:
            self.problems.append(Problem(node.line, "wrong_kind", {"key": name, "wanted": "text"}))
            return None
        if not text:
            return None
        match kind:
            case "seconds" | "number" | "days" | "mib" | "gib":
                return self._number(name, node, kind)
            case "bool":
                word = text.lower()
                if word not in _TRUE | _FALSE:
                    self.problems.append(Problem(node.line, "wrong_kind", {"key": name, "wanted": "true, false"}))
                    return None
                return word in _TRUE
            case "proxy":
                return proxy_address(text)
            case "list":
                return tuple(word for each in re.split(r"[,，]", text) if (word := each.strip()))
            case _:
                return text

    def _number(self, name: str, node: Node, kind: Kind) -> int | float | None:
        number = node.number
        if number is None or number < 0:
            self.problems.append(Problem(node.line, "wrong_kind", {"key": name, "wanted": "1, 2.5"}))
            return None
        value = number * {"days": 86400, "mib": 1024**2, "gib": 1024**3}.get(kind, 1)
        return int(value) if value == int(value) else value
