"""What foreign files become: a plan of channels and settings. Pure, and shown before it is carried out.

Files give lines (`config.importers`), the registry says which platforms these are of, and what names one channel twice is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ouzel.base.errors import BadOption, BadUrl, SchemeRefused
from ouzel.base.urls import parse_url
from ouzel.config.importers.detect import read_foreign
from ouzel.config.importers.result import Imported, ImportedChannel, Notice, NoticeCode, Problem, ProblemCode
from ouzel.model.channel import DIRECT
from ouzel.platforms.contract import Match
from ouzel.platforms.registry import Registry
from ouzel.services.import_files import SourceFile
from ouzel.services.import_pipelines import with_pipeline
from ouzel.services.import_plan import ImportPlan, PlannedChannel, PlannedDownload, PlannedSetting, Remark, WhyPaused
from ouzel.services.import_settings import add_layers, beside_old, channel_layer, in_file, layers_of
from ouzel.services.import_telling import telling_of

_STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "srt"})
_STREAM = re.compile(r"\.(?:m3u8?|flv|ts|mp4|mpd)(?:[?#/&]|$)", re.IGNORECASE)
_MUCH_MORE = 2
"""Times as many: a list that has shrunk to less than half of its backup was probably not shortened by hand."""
_LEFT_OUT = re.compile(r"^[a-z]+://(?:www\.|m\.|wap\.)?|/*(?:[?#].*)?$", re.IGNORECASE)
"""Of addresses that are compared."""


def plan_import(sources: Sequence[SourceFile], registry: Registry, *, with_backups: bool = True) -> ImportPlan:
    """What becomes of these files together. Raises nothing: what cannot be taken is a problem of the plan.

    Args:
        with_backups: take an empty list of rooms from its newest backup.
    """
    read = [(file, *with_pipeline(imported)) for source in sources for file, imported in _read(source, with_backups)]
    files = [(file, imported) for file, imported, _ in read]
    usual = next((imported.quality for _, imported in files if imported.format == "live_ini"), "")
    joiner = _Joiner(registry)
    for file, imported in files:
        joiner.add(file, imported, usual if imported.format == "live_rooms" and usual else imported.quality)
    platforms = [each.platform for each in joiner.channels.values()]
    files = [(file, _beside_old(imported, platforms)) for file, imported in files]
    layers, otherwise, bad = layers_of(each for _, imported in files for each in imported.settings)
    for file, imported in files:
        joiner.problems += [Remark(file, each) for each in add_layers(layers, imported.layers)]
    settings = tuple(PlannedSetting(file, each) for file, imported in files for each in imported.settings)
    of_line = {(each.of.line, each.of.key): each.file for each in settings}
    written = [Remark(each.file, notice) for each in settings if (notice := in_file(each.of, Path(each.file)))]
    written += [Remark(of_line[each.line, each.fields["key"]], each) for each in otherwise]
    told_of, wrong = telling_of(each for _, imported in files for each in imported.settings)
    refused = [Remark(of_line[each.line, each.fields["key"]], each) for each in (*bad, *wrong)]
    return ImportPlan(
        channels=tuple(joiner.channels.values()),
        settings=settings,
        downloads=tuple(PlannedDownload(file, each) for file, imported in files for each in imported.downloads),
        notices=_in_order([*joiner.notices, *written], files),
        problems=_in_order([*joiner.problems, *refused], files),
        files=tuple((file, imported.format) for file, imported in files),
        layers=layers,
        pipelines={name: doc for _, _, named in read for name, doc in named.items()},
        policies={name: rule for _, imported in files for name, rule in imported.policies.items()},
        telling=told_of,
    )


def _beside_old(imported: Imported, platforms: Sequence[str]) -> Imported:
    if imported.format != "live_ini":
        return imported
    return replace(imported, settings=(*imported.settings, *beside_old(imported.settings, platforms)))


def _in_order(remarks: list[Remark], files: Sequence[tuple[str, Imported]]) -> tuple[Remark, ...]:
    places = {file: place for place, (file, _) in enumerate(files)}
    return tuple(sorted(remarks, key=lambda each: (places[each.file], each.of.line)))


def _read(source: SourceFile, with_backups: bool) -> Iterator[tuple[str, Imported]]:
    """The file as it was understood; and its backup, where that stands in for it."""
    file = str(source.path)
    if source.trouble:
        yield file, Imported(None, problems=(Problem(0, "file_unreadable", {"why": source.trouble}),))
        return
    imported = read_foreign(source.data, source.path.name)
    if imported.format is None and not source.is_named:
        return  # a folder may have anything in it
    backup = _backup_of(source, imported) if with_backups else None
    if backup is None:
        yield file, imported
        return
    path, copy = backup
    about = {"backup": path, "count": str(len(copy.channels)), "left": str(len(imported.channels))}
    if imported.channels:
        yield file, replace(imported, notices=(Notice(0, "backup_has_more", about), *imported.notices))
        return
    yield file, replace(imported, notices=(Notice(0, "backup_used", about),), problems=())
    yield path, copy


def _backup_of(source: SourceFile, imported: Imported) -> tuple[str, Imported] | None:
    """The newest copy of a list of rooms that has channels where the list has none, or many more than it."""
    if imported.format not in ("live_rooms", None):
        return None
    for each in source.backups:
        copy = read_foreign(each.data, source.path.name)
        if copy.format == "live_rooms" and len(copy.channels) > len(imported.channels) * _MUCH_MORE:
            return str(each.path), copy
    return None


class _Joiner:
    """Makes channels of lines, each once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.channels: dict[tuple[object, ...], PlannedChannel] = {}
        self.notices: list[Remark] = []
        self.problems: list[Remark] = []

    def add(self, file: str, imported: Imported, quality: str) -> None:
        self.notices += [Remark(file, each) for each in imported.notices]
        self.problems += [Remark(file, each) for each in imported.problems]
        for channel in imported.channels:
            try:
                match = self._registry.known(channel.url)
                is_stream = match is None and (_is_stream(channel.url) or imported.format == "ouzel")
            except (BadUrl, SchemeRefused) as exc:
                self._refuse(file, channel, "bad_address", why=str(exc))
                continue
            if match is None and not is_stream and not channel.paused:
                self._refuse(file, channel, "unknown_site", why=str(self._registry.unknown(channel.url)))
                continue
            self._take(file, channel, match, quality, is_stream=is_stream, is_own=imported.format == "ouzel")

    def _take(
        self, file: str, channel: ImportedChannel, match: Match | None, quality: str, *, is_stream: bool, is_own: bool
    ) -> None:
        try:
            layer = channel_layer(channel.extra, channel.layer)
        except BadOption as exc:
            self._refuse(file, channel, "bad_value", key="settings", why=str(exc))
            layer = {}
        if channel.mode != "record":
            layer["mode"] = channel.mode
        if channel.quality:
            layer["quality"] = [channel.quality]
        own = channel.quality or str(next(iter(channel.layer.get("quality", ())), ""))
        planned = PlannedChannel(
            url=match.url if match else channel.url,
            platform=match.platform.name if match else DIRECT if is_stream else "",
            name=channel.name,
            quality=own or quality,
            has_own_quality=bool(own),
            paused=channel.paused,
            why_paused=self._why_paused(file, channel, match, is_stream=is_stream),
            mode=layer.get("mode", channel.mode),
            line=channel.line,
            file=file,
            settings=layer,
            is_own=is_own,
            extra={key: value for key, value in channel.extra.items() if key.removeprefix("record.") not in layer},
        )
        if _compared(planned.url) != _compared(channel.url):
            self._note(file, channel, "address_changed", address=planned.shown_url)
        key = (match.platform.name, *sorted(match.named.items())) if match and match.named else (planned.url,)
        before = self.channels.setdefault(key, planned)
        if before is not planned:
            self._note(file, channel, "channel_repeated", line=str(before.line), before=before.file)
            self.channels[key] = _joined(before, planned)

    def _why_paused(self, file: str, channel: ImportedChannel, match: Match | None, *, is_stream: bool) -> WhyPaused:
        if not channel.paused:
            return ""
        if match is None and not is_stream:
            self._note(file, channel, "paused_unknown_site", why=str(self._registry.unknown(channel.url)))
            return "unknown_site"
        if match is not None and self._registry.find(channel.url) is None:
            self._note(file, channel, "paused_short_link", platform=match.platform.name)
            return "short_link"
        return "by_hand"

    def _note(self, file: str, channel: ImportedChannel, code: NoticeCode, **fields: str) -> None:
        self.notices.append(Remark(file, Notice(channel.line, code, fields)))

    def _refuse(self, file: str, channel: ImportedChannel, code: ProblemCode, **fields: str) -> None:
        self.problems.append(Remark(file, Problem(channel.line, code, fields)))


def _joined(first: PlannedChannel, second: PlannedChannel) -> PlannedChannel:
    """One channel of two lines: one that is active counts before one that is paused, else the first; a name before none."""
    chosen, other = (second, first) if first.paused and not second.paused else (first, second)
    return replace(chosen, name=chosen.name or other.name)


def _is_stream(url: str) -> bool:
    """Whether it can be the permanent address of a stream. Raises: BadUrl."""
    scheme = url.partition(":")[0].lower()
    if scheme not in _STREAM_SCHEMES and not _STREAM.search(url):
        return False
    parse_url(url, schemes=_STREAM_SCHEMES | {"http", "https"})
    return True


def _compared(url: str) -> str:
    return _LEFT_OUT.sub("", url).lower()
