"""From a filter to SQL, for pages, counts, facets, bulk actions and playlists alike: there is no second place that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Integer, Select, Text, and_, column, false, func, or_, select, table, true

from ouzel.model.video_filters import Between, Day, Flag, OneOf, Tagged, Term, VideoFilter, Words
from ouzel.model.words import asked, normal
from ouzel.store.tables.broadcasts import files
from ouzel.store.tables.channels import channels
from ouzel.store.tables.videos import playlist_items, playlists, tags, video_tags, videos, watches

_Condition: TypeAlias = ColumnElement[bool]
_RANGES = {"res": videos.c.lines, "dur": videos.c.duration_s, "size": videos.c.bytes, "gaps": videos.c.gaps}
_TRASH, _UNFINISHED = Flag("trash"), Flag("unfinished")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and when."""

    visible: Sequence[str] | None
    """Ids of the channels that they see; None: all, and what is of no channel."""
    user_id: str | None
    """Whose positions and favourites count; None: nobody's."""
    now: datetime
    zone: tzinfo


def conditions(which: VideoFilter, viewer: Viewer) -> list[_Condition]:
    """All of these have to hold for a row of `videos`."""
    table = videos.c
    found: list[_Condition] = []
    if viewer.visible is not None:
        found.append(table.channel_id.in_(viewer.visible))
    found.append(table.deleted_at.is_not(None) if which.has("trash") else table.deleted_at.is_(None))
    if not which.has("unfinished"):
        found.append(table.state != "unfinished")
    if matched := match(which):
        found.append(table.number.in_(_numbers(matched)))
    found += [_condition(term, viewer) for term in which.terms if not _is_told_above(term)]
    return found


def match(which: VideoFilter) -> str:
    """All words that are wanted, in the language of FTS5; empty: there are none."""
    phrases = [asked(term.text) for term in which.terms if isinstance(term, Words) and term.wanted]
    return " AND ".join(filter(None, phrases))


def _numbers(matched: str) -> Select[Any]:
    index = table("video_words", column("rowid", Integer), column("video_words", Text))
    return select(index.c.rowid).where(index.c.video_words.op("MATCH")(matched))


def _is_told_above(term: Term) -> bool:
    return term in {_TRASH, _UNFINISHED} or (isinstance(term, Words) and term.wanted)


def _condition(term: Term, viewer: Viewer) -> _Condition:
    match term:
        case Words():
            phrase = asked(term.text)
            return videos.c.number.not_in(_numbers(phrase)) if phrase else true()
        case OneOf():
            holds = _one_of(term, viewer)
        case Tagged():
            holds = videos.c.number.in_(_tagged(term))
        case Between():
            holds = _between(term)
        case Day():
            holds = _day(term, viewer)
        case Flag():
            holds = _flag(term, viewer)
    return holds if term.wanted else ~func.coalesce(holds, false())


def _one_of(term: OneOf, viewer: Viewer) -> _Condition:
    table, values = videos.c, term.values
    match term.key:
        case "type":
            return table.kind.in_(values)
        case "id":
            return table.id.in_(values)
        case "site":
            return table.platform.in_(values)
        case "channel":
            return or_(table.channel_id.in_(values), _is_called(table.channel_name, values))
        case "category":
            return _is_called(table.category, values)
        case "codec":
            return or_(table.vcodec.in_(values), table.acodec.in_(values))
        case "label":
            labels = func.json_each(channels.c.labels).table_valued("value")
            having = select(channels.c.id).select_from(channels.join(labels, true())).where(labels.c.value.in_(values))
            return table.channel_id.in_(having)
        case "root":
            own = or_(
                *(column == table.id for column in (files.c.recording_id, files.c.download_id, files.c.import_id))
            )
            return select(files.c.id).where(own, files.c.root.in_(values)).exists()
        case "playlist":
            may_see = or_(playlists.c.shared, playlists.c.user_id == viewer.user_id)
            meant = or_(playlists.c.id.in_(values), _is_called(playlists.c.name, values))
            joined = playlist_items.join(playlists, playlists.c.id == playlist_items.c.playlist_id)
            return table.number.in_(select(playlist_items.c.number).select_from(joined).where(may_see, meant))


def _is_called(column: ColumnElement[str], values: Sequence[str]) -> _Condition:
    return column.collate("NOCASE").in_(values)


def _tagged(term: Tagged) -> Select[Any]:
    keys = [tag_key(each) for each in term.values]
    joined = video_tags.join(tags, tags.c.id == video_tags.c.tag_id)
    return select(video_tags.c.number).select_from(joined).where(tags.c.kind == term.key, tags.c.key.in_(keys))


def tag_key(name: str) -> str:
    """As names of tags are compared."""
    return " ".join(normal(name).split())


def _between(term: Between) -> _Condition:
    column = _RANGES[term.key]
    bounds: list[_Condition] = [column > 0] if term.key == "res" else []  # else it is not known
    if term.low is not None:
        bounds.append(column > term.low if term.over else column >= term.low)
    if term.high is not None:
        bounds.append(column < term.high if term.under else column <= term.high)
    return and_(*bounds)


def _day(term: Day, viewer: Viewer) -> _Condition:
    at = videos.c.at
    when = term.when
    if isinstance(when, timedelta):
        begins = viewer.now - when
    elif isinstance(when, datetime):
        begins = when
    else:
        begins = datetime.combine(when, time(), viewer.zone)
    match term.key:
        case "after":
            return at >= begins
        case "before":
            return at < begins
        case "on":
            return and_(at >= begins, at < begins + timedelta(days=1))


def _flag(term: Flag, viewer: Viewer) -> _Condition:
    table = videos.c
    match term.key:
        case "running" | "unfinished":
            return table.state == term.key
        case "pinned":
            return table.pinned
        case "trash":
            return table.deleted_at.is_not(None)
        case "gaps":
            return table.gaps > 0
        case "favourite":
            return _watch(viewer, watches.c.favourite_at.is_not(None))
        case "watched":
            return _watch(viewer, watches.c.watched)
        case "started":
            return _watch(viewer, ~watches.c.watched, watches.c.position_s > 0)


def _watch(viewer: Viewer, *holds: _Condition) -> _Condition:
    return videos.c.number.in_(select(watches.c.number).where(watches.c.user_id == (viewer.user_id or ""), *holds))
