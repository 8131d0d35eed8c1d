"""Our own code, when an answer is not quite as it was: what is missing never means "offline", and numbers may be texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from ouzel.base.errors import OuzelError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms import asking
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import ask
from ouzel.platforms.contract import Options, Platform, Probing
from ouzel.platforms.registry import registry
from ouzel.platforms.watch import Watch
from ouzel.testing.platforms import AskedOf, Case, PlannedAnswer, PlatformServer, read_case

DATA = Path(__file__).parent.parent / "data" / "platforms"
LIVE = [path for path in sorted(DATA.glob("*/own/*.toml")) if read_case(path).expect["state"] == "live"]
JSON = re.compile(r"[\[{].*[\]}]", re.DOTALL)

# what is not there, or null, while a channel is off air: the site's own word for it
UNTOLD = {
    "bigo": {"needLogin"},  # the answer to who has no token
    "bongacams": {"videoServerUrl"},
    "jd": {"livingRoomJump"},
    "kilakila": {"roomIdStr"},
    "migu": {"pId"},
    "popkontv": {"mcData"},
    "weibo": {"object_id", "object_type", "page_info"},  # of a post, which then is no broadcast
    "whowatch": {"live"},
    "winktv": {"media"},
    "zhihu": {"living_theater", "theater_url"},
}
NULL = {
    "faceit": {"stream"},
    "inke": {"live"},
    "kick": {"livestream"},
    "mirrativ": {"onlive"},
    "mixch": {"liveInfo"},
    "mixcloud": {"liveStream"},
    "pandatv": {"media"},
    "shopee": {"ongoing_live"},
    "soop": {"broad"},
    "twitch": {"stream"},
    "yy": {"data"},
    "zhihu": {"drama"},
}


class Session:
    """In place of the one that makes requests: answers as the platform server does, in this thread."""

    def __init__(self, case: Case) -> None:
        self._server = PlatformServer(0, Path())
        self._server.play(case)

    def request(self, method: str, url: str, **options: object) -> Any:
        given = cast("dict[str, Any]", options)
        if given["params"]:
            url += ("&" if "?" in url else "?") + urlencode(given["params"], doseq=True)
        form, body = given["data"], given["json"]
        sent = (
            urlencode(cast("dict[str, str]", form))
            if isinstance(form, dict)
            else form.decode("utf-8", "replace")
            if form
            else ""
        )
        parts = urlsplit(url)
        headers = {name.lower(): value for name, value in given["headers"].items()}
        text = sent or ("" if body is None else json.dumps(body))
        planned = self._server.answer(
            AskedOf(method, parts.hostname or "", parts.path or "/", parts.query, headers, text)
        )
        told = {name.lower(): value for name, value in planned.headers.items()}
        if given["allow_redirects"] and "location" in told:
            return self.request(method, urljoin(url, told["location"]), **{**given, "params": None})
        name, _, value = told.get("set-cookie", "").split(";")[0].partition("=")
        return SimpleNamespace(
            status_code=planned.status,
            url=url,
            headers={"content-type": planned.type, **told},
            text=planned.body,
            content=planned.body.encode(),
            cookies={name: value} if name else {},
        )

    def close(self) -> None: ...


def answering(case: Case) -> Callable[[Options], Session]:
    return lambda _options: Session(case)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Case], Answer | OuzelError]:
    def by(path: Path, case: Case) -> Answer | OuzelError:
        match = registry().find(case.url or registry()[path.parts[-3]].example)
        assert match is not None
        for way in ("_plain", "_browser"):
            monkeypatch.setattr(asking, way, answering(case))
        return ask("own", adapter_for, match, Options()).outcome

    return by


def changed(value: Any, key: str, to: Callable[[Any], Iterator[Any]]) -> Any:
    """The same document with what stands under this key, wherever that is, as `to` has it; nothing where that has nothing."""
    match value:
        case dict():
            fields = cast("dict[str, Any]", value).items()
            return {k: v for k, old in fields for v in (to(old) if k == key else [changed(old, key, to)])}
        case list():
            return [changed(each, key, to) for each in cast("list[Any]", value)]
        case str() if (inner := parsed(value)) is not None and value[:1] in "{[":
            return json.dumps(changed(inner, key, to), ensure_ascii=False)
        case _:
            return value


def keys(value: Any) -> set[str]:
    match value:
        case dict():
            fields = cast("dict[str, Any]", value)
            return set(fields).union(*map(keys, fields.values()))
        case list():
            return set[str]().union(*map(keys, cast("list[Any]", value)))
        case str() if value[:1] in "{[":
            return keys(parsed(value))
        case _:
            return set()


def parsed(text: str) -> Any:
    """What a text, or the first script in a page, has in JSON; None for another."""
    found = JSON.search(text)
    try:
        return json.loads(found[0]) if found else None
    except ValueError:
        return None


def with_change(case: Case, key: str, to: Callable[[Any], Iterator[Any]]) -> Case:
    return replace(case, answers=tuple(_planned(each, key, to) for each in case.answers))


def _planned(planned: PlannedAnswer, key: str, to: Callable[[Any], Iterator[Any]]) -> PlannedAnswer:
    found, doc = JSON.search(planned.body), parsed(planned.body)
    if found is None or doc is None:
        return planned
    text = json.dumps(changed(doc, key, to), ensure_ascii=False)
    return replace(planned, body=planned.body[: found.start()] + text + planned.body[found.end() :])


def missing(_: Any) -> Iterator[Any]:
    yield from ()


def null(_: Any) -> Iterator[Any]:
    yield None


def as_text(value: Any) -> Iterator[Any]:
    yield str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def other_time(value: Any) -> Iterator[Any]:
    yield "soon" if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) else value


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_amount(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def well_typed(told: object) -> bool:
    """Whether all that is told is of the kind that it should be."""
    if isinstance(told, Live):
        told_of = (told.identity.id, told.anchor, told.title, told.category, told.cover, told.broadcast)
        return all(map(is_text, told_of)) and all(map(well_typed, told.streams))
    if isinstance(told, Stream):
        texts, numbers = (told.url, told.label, told.codec, told.cdn), (told.height, told.bitrate_bps, told.fps)
        return all(map(is_text, texts)) and all(number is None or is_amount(number) for number in numbers)
    return isinstance(told, OuzelError)


def fields_of(case: Case) -> list[str]:
    return sorted(set[str]().union(*(keys(parsed(each.body)) for each in case.answers)))


@pytest.mark.parametrize("path", LIVE, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_what_is_missing_is_never_offline(path: Path, resolve: Callable[[Path, Case], Answer | OuzelError]) -> None:
    case, name = read_case(path), path.parts[-3]
    for key in fields_of(case):
        if key not in UNTOLD.get(name, ()):
            told = resolve(path, with_change(case, key, missing))
            assert not isinstance(told, Offline), f"without {key}"
            assert well_typed(told), f"without {key}: {told}"
        if key not in UNTOLD.get(name, set()) | NULL.get(name, set()):
            told = resolve(path, with_change(case, key, null))
            assert not isinstance(told, Offline), f"with null for {key}"
            assert well_typed(told), f"with null for {key}: {told}"


@pytest.mark.parametrize("path", LIVE, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_numbers_may_be_texts(path: Path, resolve: Callable[[Path, Case], Answer | OuzelError]) -> None:
    case = read_case(path)
    whole_answer = resolve(path, case)
    assert isinstance(whole_answer, Live)
    for key in fields_of(case):
        told = resolve(path, with_change(case, key, as_text))
        assert isinstance(told, Live), f"{key}: {told}"
        assert well_typed(told), f"{key}: {told}"
        assert len(told.streams) == len(whole_answer.streams), key


@pytest.mark.parametrize("path", LIVE, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_a_time_that_is_written_otherwise_costs_no_recording(
    path: Path, resolve: Callable[[Path, Case], Answer | OuzelError]
) -> None:
    case = read_case(path)
    for key in fields_of(case):
        told = resolve(path, with_change(case, key, other_time))
        assert isinstance(told, Live), f"{key}: {told}"


def probing(platform: Platform) -> Probing | None:
    match = registry().find(platform.example)
    assert match is not None
    adapter = adapter_for("own", match)
    return adapter if isinstance(adapter, Probing) else None


PROBING = [platform for platform in registry() if "own" in platform.chain and probing(platform) is not None]
TROUBLE = (
    PlannedAnswer("*", '<!doctype html><div id="captcha"></div>', type="text/html"),
    PlannedAnswer("*", "slow down", status=429),
    PlannedAnswer("*", "oops", status=502),
    PlannedAnswer("*", "not here", status=404),
    *(
        PlannedAnswer("*", body)
        for body in (
            "",
            "{}",
            "null",
            '"busy"',
            '{"data": null}',
            '{"data": {}}',
            '{"data": []}',
            '{"list": null}',
            '{"error": {"code": 500, "message": "busy"}}',
            '{"errors": [{"message": "service error"}], "data": {"users": null}}',
            '{"code": -412, "message": "request was banned"}',
            '{"code": 0, "data": null}',
            '{"success": false, "data": []}',
            '{"success": true, "data": []}',
            '{"data": {"users": [{"login": "7", "stream": null}]}, "errors": [{"message": "service timeout"}]}',
        )
    ),
)


@pytest.mark.parametrize("planned", TROUBLE, ids=lambda p: f"{p.status}-{p.body[:40]}")
@pytest.mark.parametrize("platform", PROBING, ids=lambda p: p.name)
def test_a_failed_question_for_many_tells_of_nobody(
    platform: Platform, planned: PlannedAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = probing(platform)
    assert adapter is not None
    for way in ("_plain", "_browser"):
        monkeypatch.setattr(asking, way, answering(Case((planned,))))
    try:
        told = adapter.probe(["7", "somebody"], Site(Watch(), Options()))
    except (
        OuzelError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
    ):  # all of which whoever asks takes for trouble
        return
    assert not told
