"""Answers and errors as JSON: between the two processes, and for `ouzel resolve --json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from ouzel.base import errors
from ouzel.base.errors import OuzelError, ResolverFailed
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Live, Offline, Vod, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.peeking import Peeked

_KINDS: Mapping[str, type[Answer]] = {"live": Live, "offline": Offline, "vod": Vod}
_PLAIN = (str, int, float, bool, list, dict, type(None))
_TIMES = ("started_at", "available_at", "expires_at")


def render_told(told: Told) -> dict[str, Any]:
    """What one adapter said. Secrets that are part of an answer (addresses, headers) are in it."""
    return {
        "adapter": told.adapter,
        **render_outcome(told.outcome),
        "evidence": [evidence.fields() for evidence in told.evidence],
    }


def parse_told(doc: Mapping[str, Any]) -> Told:
    """Raises: KeyError, TypeError, ValueError for what `render_told` did not make."""
    evidence = tuple(Evidence(**each) for each in doc["evidence"])
    return Told(doc["adapter"], parse_outcome(doc), evidence)


def render_peeks(peeks: Mapping[str, Peeked]) -> dict[str, Any]:
    """What a question about many channels told of each address."""
    return {
        url: {"error": render_error(p)} if isinstance(p, OuzelError) else p and asdict(p) for url, p in peeks.items()
    }


def parse_peeks(doc: Mapping[str, Any]) -> dict[str, Peeked]:
    """Raises: KeyError, TypeError, ValueError for what `render_peeks` did not make."""
    return {url: parse_error(p["error"]) if p and "error" in p else p and Peek(**p) for url, p in doc.items()}


def render_outcome(outcome: Answer | OuzelError) -> dict[str, Any]:
    state = state_of(outcome).value
    if isinstance(outcome, OuzelError):
        return {"state": state, "error": render_error(outcome)}
    doc = _plain(asdict(outcome))
    return {"state": state, "answer": doc}


def parse_outcome(doc: Mapping[str, Any]) -> Answer | OuzelError:
    if "error" in doc:
        return parse_error(doc["error"])
    given = dict(doc["answer"])
    given["identity"] = Identity(**given["identity"])
    if "streams" in given:
        given["streams"] = tuple(_stream(each) for each in given["streams"])
    return _KINDS[doc["state"]](**_timed(given))


def render_error(error: OuzelError) -> dict[str, Any]:
    context: dict[str, Any] = {k: v for k, v in error.context.items() if isinstance(v, _PLAIN)}
    return {"code": error.code, "message": error.message, "context": context}


def parse_error(doc: Mapping[str, Any]) -> OuzelError:
    kind = _ERRORS.get(doc["code"], ResolverFailed)
    return kind(doc["message"], **doc.get("context", {}))


def render_options(options: Options) -> dict[str, Any]:
    return asdict(options)


def parse_options(doc: Mapping[str, Any]) -> Options:
    given: dict[str, Any] = {**doc, "codecs": tuple(doc["codecs"])}
    return Options(**given)


def _stream(doc: Mapping[str, Any]) -> Stream:
    sound = _stream(doc["sound"]) if doc.get("sound") else None
    return Stream(**_timed({**doc, "headers": tuple((k, v) for k, v in doc["headers"]), "sound": sound}))


def _timed(doc: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if doc.get(name):
            doc[name] = datetime.fromisoformat(doc[name])
    return doc


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case dict():
            return {k: _plain(v) for k, v in cast("dict[str, Any]", value).items()}
        case list() | tuple():
            return [_plain(v) for v in cast("list[Any]", value)]
        case _:
            return value


def _tree(kind: type[OuzelError]) -> Iterator[type[OuzelError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


_ERRORS: Mapping[str, type[OuzelError]] = {
    kind.code: kind for kind in _tree(OuzelError) if kind.__module__ == errors.__name__
}
