"""Which of the things that happen are told, to whom, and in which words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Self, cast

from ouzel.base.errors import BadOption
from ouzel.model.message_templates import check_message, tidy_template
from ouzel.model.notices import CODES as NOTICES
from ouzel.model.notices import Severity
from ouzel.model.targets import text_of, yes_or_no

_I, _E = Severity.INFO, Severity.ERROR
EVENTS: Mapping[str, Severity] = MappingProxyType(
    {
        "broadcast.began": _I, "broadcast.changed": _I, "broadcast.resumed": _I, "broadcast.ended": _I,
        "recording.began": _I, "recording.finished": _I, "download.finished": _I, "download.failed": _E,
        "upload.done": _I, "upload.failed": _E, "job.done": _I, "job.failed": _E, "daemon.began": _I,
        "daemon.stopping": _I,
    }
)  # fmt: skip
"""What can be told beside notices, which are told by their own codes."""
SUBJECTS: Mapping[str, Severity] = MappingProxyType({**EVENTS, **NOTICES})
LANGUAGES = ("", "en", "zh")
_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_MOST = 200
_LONGEST_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Route:
    """Every condition that is set has to hold; an empty one holds always."""

    targets: tuple[str, ...]
    """Names."""
    events: tuple[str, ...]
    """Codes of `SUBJECTS`; `recording.*`, `*`: all that begin so."""
    labels: tuple[str, ...] = ()
    """Only channels that have one of them."""
    channels: tuple[str, ...] = ()
    """Ids: only these. With `labels`: those, too."""
    severity: Severity = Severity.INFO
    """At least."""
    over: bool = False
    """Tell also when a notice is over."""
    title: str = ""
    """Template; empty: the usual words."""
    text: str = ""
    language: str = ""
    """`en`, `zh`; empty: the daemon's."""
    debounce_s: float | None = None
    """The same about the same is not told again sooner; None: as `[watch] notify_interval` says, of channels only."""
    digest_s: float = 0.0
    """Collect for so long, and send one message; 0: each at once."""
    enabled: bool = True

    @classmethod
    def parse(cls, doc: Mapping[str, Any]) -> Self:
        """Raises: BadOption, whose context has `pointer`."""
        if unknown := [name for name in doc if name not in cls.__slots__]:
            raise BadOption(f"a route has no {unknown[0][:40]}; it has {', '.join(cls.__slots__)}", pointer="")
        words = {name: _words(doc, name) for name in ("targets", "events", "labels", "channels")}
        if not words["targets"]:
            raise BadOption("a route leads to one target at least", pointer="/targets")
        _check_events(words["events"])
        severity = doc.get("severity", Severity.INFO.value)
        if severity not in {*Severity}:
            raise BadOption(f"severity is one of {', '.join(Severity)}", pointer="/severity")
        language = doc.get("language", "")
        if language not in LANGUAGES:
            raise BadOption("language is en, zh, or empty: the daemon's", pointer="/language")
        debounce = doc.get("debounce_s")
        return cls(
            **words,
            severity=Severity(severity),
            over=yes_or_no(doc, "over", usual=False),
            title=_template(doc, "title"),
            text=_template(doc, "text"),
            language=language,
            debounce_s=None if debounce is None else _seconds("debounce_s", debounce),
            digest_s=_seconds("digest_s", doc.get("digest_s", 0.0)),
            enabled=yes_or_no(doc, "enabled", usual=True),
        )

    def doc(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {
            "targets": [*self.targets], "events": [*self.events], "labels": [*self.labels],
            "channels": [*self.channels], "severity": self.severity.value, "over": self.over, "title": self.title,
            "text": self.text, "language": self.language, "debounce_s": self.debounce_s, "digest_s": self.digest_s,
            "enabled": self.enabled,
        }  # fmt: skip

    def wants(
        self, code: str, severity: Severity, *, is_over: bool, channel: str | None, labels: Collection[str]
    ) -> bool:
        """Whether it is to be told. Args: channel, labels: of the channel that it is about, if it is about one."""
        if not self.enabled or (is_over and not self.over) or _RANK[severity] < _RANK[self.severity]:
            return False
        if not any(fnmatchcase(code, pattern) for pattern in self.events):
            return False
        anywhere = not self.labels and not self.channels
        return anywhere or channel in self.channels or not {*self.labels}.isdisjoint(labels)


def at_least(severity: Severity, floor: Severity) -> bool:
    return _RANK[severity] >= _RANK[floor]


def _check_events(patterns: Sequence[str]) -> None:
    if not patterns:
        raise BadOption("a route names one event at least; * is all", pointer="/events")
    for place, pattern in enumerate(patterns):
        if not (pattern == "*" or pattern.endswith(".*") or pattern in SUBJECTS) or not any(
            fnmatchcase(code, pattern) for code in SUBJECTS
        ):
            near = get_close_matches(pattern, SUBJECTS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(SUBJECTS)}"
            raise BadOption(f"nothing that is told is called {pattern[:60]}{hint}", pointer=f"/events/{place}")


def _words(doc: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = doc.get(name, ())
    words = cast("Sequence[object]", value) if isinstance(value, list | tuple) else (None,)
    if len(words) > _MOST or not all(isinstance(each, str) and 0 < len(each) <= _MOST for each in words):
        raise BadOption(f"{name} is a list of texts, {_MOST} at most", pointer=f"/{name}")
    return tuple(dict.fromkeys(str(each) for each in words))


def _template(doc: Mapping[str, Any], name: str) -> str:
    text = tidy_template(text_of(doc, name, most=4000))
    try:
        check_message(text)
    except BadOption as exc:
        exc.context.setdefault("pointer", f"/{name}")
        raise
    return text


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadOption(f"{name} is a number of seconds", pointer=f"/{name}")
    if not 0 <= value <= _LONGEST_S:
        raise BadOption(f"{name} is 0 to {_LONGEST_S:g}", pointer=f"/{name}")
    return float(value)
