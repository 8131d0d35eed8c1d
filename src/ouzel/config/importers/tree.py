"""JSON and YAML as a tree that knows its lines. JSON is read as the YAML that it is; trailing commas do no harm."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from ouzel.config.importers.result import Problem

Scalar: TypeAlias = str | int | float | bool | None
MOST_NODES = 200_000
"""A list of channels has a dozen for each; an alias that names an alias would have any number."""
_STRING_OR_TAB = re.compile(r'("(?:[^"\\]|\\.)*")|\t', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, and the line on which it begins. Of `scalar`, `items` and `table` one counts."""

    line: int
    scalar: Scalar = None
    written: str = ""
    """Of a scalar: as it stands there, since `010` may be a name."""
    items: tuple[Node, ...] | None = None
    table: dict[str, Node] | None = None
    repeated: tuple[str, ...] = field(default=())
    """Keys that stood there before, and do not count."""

    @property
    def text(self) -> str | None:
        """A word or a number as it is written; None for anything else."""
        return None if self.scalar is None else self.written.strip()

    @property
    def number(self) -> float | None:
        """Also of a text that is one."""
        if isinstance(self.scalar, bool) or self.scalar is None:
            return None
        try:
            value = float(self.scalar)
        except ValueError:
            return None
        return value if abs(value) < 1e15 else None  # nor of `nan`, which is not less

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items or ())


def read_tree(text: str) -> Node | Problem:
    """The first document of it; what is wrong when it cannot be read."""
    import yaml

    text = _STRING_OR_TAB.sub(lambda found: found[1] or " ", text) if text.lstrip()[:1] in ("{", "[") else text
    try:
        root = cast("Any", yaml.compose(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        return Node(1) if root is None else _Reader(yaml.SafeLoader("")).read(root)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        return Problem(line, "syntax", {"why": exc.problem or ""})
    except (yaml.YAMLError, ValueError) as exc:  # a character that no text has; a date that is none
        return Problem(0, "syntax", {"why": str(exc).partition("\n")[0]})
    except RecursionError:
        return Problem(0, "syntax", {"why": "nested too deeply"})


class _Reader:
    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._count = 0

    def read(self, node: Any) -> Node:
        """Raises: ValueError when it is too large."""
        self._count += 1
        if self._count > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES} values")
        line: int = node.start_mark.line + 1
        if node.id == "sequence":
            return Node(line, items=tuple(self.read(each) for each in node.value))
        if node.id == "mapping":
            pairs = [(str(key.value), self.read(value)) for key, value in node.value if key.id == "scalar"]
            counts = Counter(key for key, _ in pairs)
            return Node(line, table=dict(pairs), repeated=tuple(key for key, count in counts.items() if count > 1))
        written = cast("str", node.value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        plain = node.tag.rpartition(":")[2] in {"int", "float", "bool", "null"}
        return Node(line, self._loader.construct_object(node) if plain else written, written)
