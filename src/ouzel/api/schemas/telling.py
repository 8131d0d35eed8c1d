"""Targets, routes and messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from ouzel.api.schemas.base import In, Label, Out, Patch, left_out
from ouzel.model.messages import MessageState
from ouzel.model.notices import Severity
from ouzel.model.routes import Route
from ouzel.model.targets import Setting, Target
from ouzel.store.named import Named

_QUIET = "hours in which nothing is sent: a list of windows, as in the setting `schedule` of channels"
_SETTINGS = "by the names of `GET /api/target-kinds`; null takes one away; `•••`: as it was"
_DEBOUNCE = (
    "seconds in which the same about the same is told once; null: as `[watch] notify_interval` says, of channels"
)
_MOST_S = 604_800.0


class WindowIn(In):
    days: list[str] = Field(default_factory=list[str], max_length=7, description="`mon` … `sun`; none: every day")
    begin: str = Field(alias="from", max_length=5, examples=["23:00"])
    end: str = Field(alias="to", max_length=5, examples=["07:00"])

    def doc(self) -> dict[str, Any]:
        return {"from": self.begin, "to": self.end, **({"days": self.days} if self.days else {})}


class TargetIn(In):
    name: str = Field(min_length=1, max_length=60, examples=["phone"])
    kind: str = Field(max_length=40, examples=["ntfy"])
    settings: dict[str, Any] = Field(description=_SETTINGS, examples=[{"url": "https://ntfy.sh/topic"}])
    enabled: bool = True
    quiet: list[WindowIn] = Field(default_factory=list[WindowIn], max_length=100, description=_QUIET)
    time_zone: str = Field("", max_length=60, description="of these hours and of all times; empty: the machine's")
    loud: Severity | None = Field(None, description="what is as severe is sent in quiet hours too")

    def doc(self) -> dict[str, Any]:
        doc = self.model_dump(mode="json", exclude={"name"})
        return doc | {"quiet": [each.doc() for each in self.quiet]}


class TargetPatch(Patch):
    settings: dict[str, Any] = left_out(dict[str, Any], description=_SETTINGS)
    enabled: bool = left_out(lambda: True)
    quiet: list[WindowIn] = left_out(list[WindowIn], max_length=100, description=_QUIET)
    time_zone: str = left_out(str, max_length=60)
    loud: Severity | None = left_out(lambda: None)

    def doc(self) -> dict[str, Any]:
        doc = self.changes()
        return doc | ({"quiet": [each.doc() for each in self.quiet]} if "quiet" in doc else {})


class TargetOut(Out):
    name: str
    kind: str
    settings: dict[str, Any] = Field(description="secrets are hidden")
    enabled: bool
    quiet: list[dict[str, Any]]
    time_zone: str
    loud: Severity | None
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, named: Named[Target]) -> Self:
        return cls(
            name=named.name, revision=named.revision, created_at=named.created_at, updated_at=named.updated_at,
            **named.spec.shown(),
        )  # fmt: skip


class TargetsOut(Out):
    items: list[TargetOut]


class SettingOut(Out):
    name: str
    kind: Literal["text", "address", "words", "yes", "number"]
    needed: bool
    secret: bool
    choices: list[str]

    @classmethod
    def of(cls, setting: Setting) -> Self:
        return cls(
            name=setting.name, kind=setting.kind.value, needed=setting.needed, secret=setting.secret,
            choices=[*setting.choices],
        )  # fmt: skip


class KindOut(Out):
    kind: str
    settings: list[SettingOut]


class KindsOut(Out):
    items: list[KindOut]

    @classmethod
    def of(cls, kinds: Mapping[str, Iterable[Setting]]) -> Self:
        return cls(items=[KindOut(kind=kind, settings=[*map(SettingOut.of, each)]) for kind, each in kinds.items()])


class TestedOut(Out):
    sent: bool
    code: str | None = Field(description="of the error")
    why: str | None


class RouteFields(In):
    targets: list[str] = Field(max_length=200, examples=[["phone"]])
    events: list[str] = Field(
        max_length=200, examples=[["broadcast.began"]], description="codes; `recording.*`, `*`: all that begin so"
    )
    labels: list[Label] = Field(
        default_factory=list[str], max_length=200, description="only channels with one of these"
    )
    channels: list[str] = Field(default_factory=list[str], max_length=200, description="ids: only these")
    severity: Severity = Field(Severity.INFO, description="at least")
    over: bool = Field(False, description="tell also when a notice is over")
    title: str = Field(
        "", max_length=4000, description="template; empty: the usual words", examples=["{channel} is live"]
    )
    text: str = Field("", max_length=4000, description="template; empty: the usual words")
    language: Literal["", "en", "zh"] = ""
    debounce_s: float | None = Field(None, ge=0, le=_MOST_S, description=_DEBOUNCE)
    digest_s: float = Field(0.0, ge=0, le=_MOST_S, description="collect for so long, and send one message")
    enabled: bool = True


class RouteIn(RouteFields):
    name: str = Field(min_length=1, max_length=60, examples=["what goes live"])

    def doc(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"name"})


class RoutePatch(Patch):
    targets: list[str] = left_out(list[str], max_length=200)
    events: list[str] = left_out(list[str], max_length=200)
    labels: list[Label] = left_out(list[str], max_length=200)
    channels: list[str] = left_out(list[str], max_length=200)
    severity: Severity = left_out(lambda: Severity.INFO)
    over: bool = left_out(lambda: False)
    title: str = left_out(str, max_length=4000)
    text: str = left_out(str, max_length=4000)
    language: Literal["", "en", "zh"] = left_out(lambda: "")
    debounce_s: float | None = left_out(lambda: None, ge=0, le=_MOST_S)
    digest_s: float = left_out(float, ge=0, le=_MOST_S)
    enabled: bool = left_out(lambda: True)


class RouteOut(Out):
    name: str
    targets: list[str]
    events: list[str]
    labels: list[str]
    channels: list[str]
    severity: Severity
    over: bool
    title: str
    text: str
    language: str
    debounce_s: float | None
    digest_s: float
    enabled: bool
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, named: Named[Route]) -> Self:
        return cls(
            name=named.name, revision=named.revision, created_at=named.created_at, updated_at=named.updated_at,
            **named.spec.doc(),
        )  # fmt: skip


class RoutesOut(Out):
    items: list[RouteOut]


class MessageOut(Out):
    id: str
    number: int = Field(description="of the event")
    route: str
    target: str
    code: str
    severity: Severity
    at: datetime = Field(description="when it happened")
    title: str
    text: str
    channel_id: str | None
    url: str
    picture: str
    state: MessageState
    joined: bool = Field(description="it is sent together with others")
    not_before: datetime | None
    attempts: int = Field(description="that failed")
    error: str | None = Field(description="code of the last error")
    why: str | None
    created_at: datetime | None
    ended_at: datetime | None
