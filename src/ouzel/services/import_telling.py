"""What other recorders are told about pushing messages, as targets and routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from ouzel.base.errors import BadOption
from ouzel.config.exports import Export
from ouzel.config.importers.result import ImportedSetting, Problem
from ouzel.model.message_templates import foreign_template
from ouzel.model.targets import check_settings

_PLACE = "notify."
_OF_DINGTALK = {"phones": "dingtalk.at", "at_all": "dingtalk.at_all"}
_OF_BARK = {"level": "bark.level", "sound": "bark.sound"}
_OF_NTFY = {"tags": "ntfy.tags", "email": "ntfy.email"}
_OF_TELEGRAM = {"chat": "telegram.chat"}
_OF_EMAIL = {
    "to": "email.to", "port": "email.port", "login": "email.login", "password": "email.password", "from": "email.from",
    "from_name": "email.from_name",
}  # fmt: skip
_KINDS: Mapping[str, tuple[str, str, str, Mapping[str, str]]] = {
    "wechat": ("xizhi", "wechat.url", "url", {}),
    "dingtalk": ("dingtalk", "dingtalk.url", "url", _OF_DINGTALK),
    "telegram": ("telegram", "telegram.token", "token", _OF_TELEGRAM),
    "email": ("email", "email.server", "server", _OF_EMAIL),
    "bark": ("bark", "bark.url", "url", _OF_BARK),
    "ntfy": ("ntfy", "ntfy.url", "url", _OF_NTFY),
    "pushplus": ("pushplus", "pushplus.token", "token", {}),
}
"""By the name of the channel: sort of target, the setting without which there is none, what it is there, and the others."""
_CAMERAS = "cameras."
_CAMERA_EVENTS = ["recording.trouble", "recording.failed", "broadcast.not_recorded", "channel.*", "storage.*"]


def telling_of(settings: Iterable[ImportedSetting]) -> tuple[Export, list[Problem]]:
    """Targets and routes, and what has a value that it cannot have. What is written down and not used is switched off."""
    found = {(each.target or "").removeprefix(_PLACE): each for each in settings if _is_ours(each)}
    reader = _Reader(found)
    targets = dict(reader.targets())
    routes = dict(reader.routes([name for name in targets if not name.startswith("cameras")]))
    if "cameras" in targets:
        on = reader.value(_CAMERAS + "telegram.on")
        routes["cameras"] = _route(["cameras"], _CAMERA_EVENTS, on=on is not False, over=True)
    return Export(targets=targets, routes=routes), reader.problems


def _is_ours(setting: ImportedSetting) -> bool:
    return (setting.target or "").startswith(_PLACE) and setting.value is not None


class _Reader:
    def __init__(self, found: Mapping[str, ImportedSetting]) -> None:
        self._found = found
        self.problems: list[Problem] = []

    def value(self, name: str) -> Any:
        """None where there is none."""
        setting = self._found.get(name)
        return None if setting is None else setting.value

    def targets(self) -> Iterator[tuple[str, dict[str, Any]]]:
        used: Sequence[str] = self.value("channels") or ()
        for name, (kind, place, key, others) in _KINDS.items():
            yield from self._of(name, kind, place, key, others, on=name in used)
        more = {"chat": _CAMERAS + "telegram.chat"}
        yield from self._of("cameras", "telegram", _CAMERAS + "telegram.token", "token", more, on=True)

    def _of(
        self, name: str, kind: str, place: str, key: str, others: Mapping[str, str], *, on: bool
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """One for each address or token."""
        setting = self._found.get(place)
        if setting is None:
            return
        shared = {ours: _plain(self.value(theirs)) for ours, theirs in others.items()}
        if kind == "email":
            shared["security"] = "none" if self.value("email.tls") is False else "ssl"
        values = setting.value if isinstance(setting.value, tuple) else (setting.value,)
        for number, value in enumerate(values, 1):
            given = {ours: each for ours, each in {**shared, key: value}.items() if each not in (None, [], False)}
            try:
                checked = check_settings(kind, given)
            except BadOption as exc:
                self.problems.append(Problem(setting.line, "bad_value", {"key": setting.key, "why": str(exc)}))
                continue
            yield name if number == 1 else f"{name} {number}", {"kind": kind, "settings": checked, "enabled": on}

    def routes(self, targets: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        if not targets:
            return
        title = foreign_template(str(self.value("title") or ""))
        for name, event, words, switch, usual in (
            ("live", "broadcast.began", "text_live", "on_live", True),
            ("ended", "broadcast.ended", "text_ended", "on_ended", False),
        ):
            on = self.value(switch)
            text = foreign_template(str(self.value(words) or ""))
            yield name, _route(targets, [event], on=usual if on is None else bool(on), title=title, text=text)


def _route(targets: Sequence[str], events: Sequence[str], *, on: bool, **more: Any) -> dict[str, Any]:
    return {"targets": [*targets], "events": [*events], "enabled": on, **{k: v for k, v in more.items() if v}}


def _plain(value: object) -> object:
    return [*cast("tuple[str, ...]", value)] if isinstance(value, tuple) else value
