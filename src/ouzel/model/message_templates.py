"""The words of messages: a fixed set of fields, templates over them, and what is said where nobody wrote one. Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType

from ouzel.base.errors import BadOption
from ouzel.model.notices import Severity

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "what": "what happened, as a sentence",
        "event": "its code",
        "severity": "info, warning or error",
        "channel": "name of the channel",
        "platform": "its platform",
        "labels": "its labels, with commas between them",
        "title": "title on the platform's page, or of the recording or download",
        "category": "category on the platform's page",
        "url": "address of the channel",
        "time": "when it happened; with a strftime format: {time:%H:%M}",
        "picture": "address of the channel's cover",
        "why": "the reason, of what went wrong",
        "duration": "how long it was on air, or what was recorded",
        "size": "of a recording or download",
        "gaps": "how many stretches are missing",
        "name": "of a download, a job, a hook, a storage root",
    }
)
"""Those that say nothing about an event are empty."""
_OLD = {"[直播间名称]": "{channel}", "[时间]": "{time}"}
_TIME = "%Y-%m-%d %H:%M:%S"
_NAME = "Ouzel"
"""Of a message without a title: there are services that take none."""
_MOST_DIGITS = re.compile(r"\d{3,}")

EN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "broadcast.began": ("{channel} is live", "{title}\n{platform} · {time}\n{url}"),
        "broadcast.changed": ("{channel}: {title}", "{category}\n{platform} · {time}\n{url}"),
        "broadcast.resumed": ("{channel} is back", "{title}\n{platform} · {time}\n{url}"),
        "broadcast.ended": ("{channel} is no longer live", "{title}\n{platform} · {time} · {duration}"),
        "recording.began": ("{channel} is being recorded", "{title}\n{platform} · {time}"),
        "recording.finished": ("{channel} was recorded", "{title}\n{duration} · {size}\nGaps: {gaps}"),
        "download.finished": ("{name} was downloaded", "{duration} · {size}"),
        "download.failed": ("{name} could not be downloaded", "{why}"),
        "upload.done": ("An upload is done", "{name}"),
        "upload.failed": ("An upload failed", "{name}: {why}"),
        "job.done": ("A job is done", "{name}"),
        "job.failed": ("A job failed", "{name}: {why}"),
        "daemon.began": ("Ouzel is up", "{time}"),
        "daemon.stopping": ("Ouzel is about to end", "{time}"),
        "test": ("Ouzel: a test", "Messages arrive here. {time}"),
        "info": ("Ouzel", "{what}"),
        "warning": ("Ouzel: warning", "{what}"),
        "error": ("Ouzel: error", "{what}"),
        "over": ("Ouzel: over", "{what}"),
        "digest": ("Ouzel: {name} messages", "{what}"),
    }
)
ZH: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "broadcast.began": ("{channel} 开播了", "{title}\n{platform} · {time}\n{url}"),
        "broadcast.changed": ("{channel}：{title}", "{category}\n{platform} · {time}\n{url}"),
        "broadcast.resumed": ("{channel} 恢复直播", "{title}\n{platform} · {time}\n{url}"),
        "broadcast.ended": ("{channel} 已下播", "{title}\n{platform} · {time} · {duration}"),
        "recording.began": ("{channel} 开始录制", "{title}\n{platform} · {time}"),
        "recording.finished": ("{channel} 录制完成", "{title}\n{duration} · {size}\n缺失段数：{gaps}"),
        "download.finished": ("{name} 下载完成", "{duration} · {size}"),
        "download.failed": ("{name} 下载失败", "{why}"),
        "upload.done": ("上传完成", "{name}"),
        "upload.failed": ("上传失败", "{name}：{why}"),
        "job.done": ("任务完成", "{name}"),
        "job.failed": ("任务失败", "{name}：{why}"),
        "daemon.began": ("Ouzel 已启动", "{time}"),
        "daemon.stopping": ("Ouzel 即将停止", "{time}"),
        "test": ("Ouzel：测试", "消息可以送达这里。{time}"),
        "info": ("Ouzel", "{what}"),
        "warning": ("Ouzel：警告", "{what}"),
        "error": ("Ouzel：错误", "{what}"),
        "over": ("Ouzel：已恢复", "{what}"),
        "digest": ("Ouzel：{name} 条消息", "{what}"),
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of something that happened."""

    code: str
    severity: Severity
    at: datetime
    """Aware."""
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of `FIELDS`, but for `event`, `severity` and `time`."""
    is_over: bool = False

    @property
    def words(self) -> str:
        """Key of the usual words."""
        return "over" if self.is_over else self.code if self.code in EN else self.severity.value


def tidy_template(text: str) -> str:
    """DouyinLiveRecorder's fields and its written-out line breaks as ours."""
    for old, ours in _OLD.items():
        text = text.replace(old, ours)
    return text.replace("\\n", "\n")


def foreign_template(text: str) -> str:
    """A template of DouyinLiveRecorder, to which braces mean nothing, as one of ours."""
    return tidy_template(text.replace("{", "{{").replace("}", "}}"))


def check_message(template: str) -> None:
    """Raises: BadOption when it names a field that there is not, or cannot be read."""
    moment = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - shown, never compared
    _render(template, dict.fromkeys(FIELDS, "x"), moment)


def render_message(facts: Facts, zone: tzinfo, language: str, *, title: str = "", text: str = "") -> tuple[str, str]:
    """Title, on one line, and text. Args: language: `en` or `zh`; title, text: templates; empty: the usual words."""
    usual_title, usual_text = (ZH if language == "zh" else EN)[facts.words]
    given = {**dict.fromkeys(FIELDS, ""), **facts.fields, "event": facts.code, "severity": facts.severity.value}
    moment = facts.at.astimezone(zone)
    said = _render(title or usual_title, given, moment)
    whole = _render(text, given, moment) if text else _usual(usual_text, given, moment)
    return " ".join(said.split()) or _NAME, whole.strip()


def _usual(template: str, given: Mapping[str, str], moment: datetime) -> str:
    """Without lines and parts whose fields say nothing."""
    lines: list[str] = []
    for line in template.split("\n"):
        parts = [_render(part, given, moment) for part in line.split(" · ") if _says(part, given)]
        lines.append(" · ".join(parts))
    return "\n".join(line for line in lines if line)


def _says(part: str, given: Mapping[str, str]) -> bool:
    names = [name for _, name, _, _ in string.Formatter().parse(part) if name]
    return not names or any(name == "time" or given[name] for name in names)


def _render(template: str, given: Mapping[str, str], moment: datetime) -> str:
    try:
        parts = list(string.Formatter().parse(template))
        for _, name, spec, conversion in parts:
            if name is not None and name not in FIELDS:
                raise BadOption(f"a message has no field {{{name[:40]}}}; it knows {', '.join(FIELDS)}")
            if conversion or "{" in (spec or "") or (name != "time" and _MOST_DIGITS.search(spec or "")):
                raise BadOption(f"the field {{{name}}} of a message cannot be written like that")
        return "".join(
            literal + ("" if name is None else _field(name, spec or "", given, moment))
            for literal, name, spec, _ in parts
        )
    except ValueError as exc:
        raise BadOption(f"the template of a message cannot be read: {exc}") from exc


def _field(name: str, spec: str, given: Mapping[str, str], moment: datetime) -> str:
    return format(moment, spec or _TIME) if name == "time" else format(given[name], spec)
