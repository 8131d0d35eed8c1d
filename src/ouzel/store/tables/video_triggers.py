"""What keeps `videos` in line with what it is made of, in the transaction of the change, whoever makes it.

A `SELECT` for each kind says what its row has to be; the triggers only say when to look. Tests compare the table with `TOLD`.
"""

from __future__ import annotations

_COLUMNS = (
    "kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, "
    "duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at"
)
_WORDS = ("title", "tags", "people", "channel", "description")


def _track(owner: str, kind: str, field: str) -> str:
    """Of the first file that has such a track."""
    return (
        f"(SELECT json_extract(t.value, '$.{field}') FROM files f, json_each(f.tracks) t WHERE f.{owner} = s.id "
        f"AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = '{kind}' ORDER BY f.role, f.part LIMIT 1)"
    )


def _tracks(owner: str) -> str:
    fps = (
        f"(SELECT json_extract(i.doc, '$.fps') FROM files f JOIN media_info i ON i.file_id = f.id WHERE f.{owner} = s.id "
        "AND f.role IN ('original', 'product') ORDER BY f.role, f.part LIMIT 1)"
    )
    video = [_track(owner, "video", field) for field in ("width", "height")]
    return ", ".join([*video, fps, _track(owner, "video", "codec"), _track(owner, "audio", "codec")])


_RECORDING = f"""SELECT 'recording', CASE WHEN s.state = 'done' THEN 'ready' ELSE 'running' END,
 s.channel_id, coalesce(c.name, ''), coalesce(c.platform, ''), s.title, coalesce(b.category, ''), '', s.started_at, s.started_at,
 s.media_s, s.bytes, {_tracks("recording_id")}, s.gaps, s.missing_s, s.pinned, s.deleted_at
 FROM recordings s LEFT JOIN broadcasts b ON b.id = s.broadcast_id LEFT JOIN channels c ON c.id = s.channel_id"""
_DOWNLOAD = f"""SELECT 'download', CASE WHEN s.state = 'completed' AND s.after IS NULL THEN 'ready' ELSE 'unfinished' END,
 NULL, '', '', coalesce(nullif(s.name, ''), nullif(s.title, ''), nullif(s.stem, ''), s.address), '', '',
 s.created_at, s.created_at, s.media_s, s.bytes, {_tracks("download_id")}, s.gaps, 0.0, s.pinned, s.deleted_at FROM downloads s"""
_IMPORT = f"""SELECT 'import', CASE WHEN s.state = 'ready' THEN 'ready' ELSE 'unfinished' END,
 NULL, '', '', s.title, '', s.description, s.made_at, s.created_at,
 s.media_s, s.bytes, {_tracks("import_id")}, 0, 0.0, s.pinned, s.deleted_at FROM imports s"""
_KINDS = {"recordings": _RECORDING, "downloads": _DOWNLOAD, "imports": _IMPORT}
_OWNERS = {"recordings": "recording_id", "downloads": "download_id", "imports": "import_id"}
_SEEN = {
    "recordings": "channel_id, state, title, started_at, media_s, missing_s, bytes, gaps, pinned, deleted_at",
    "downloads": "state, after, name, title, stem, address, created_at, media_s, bytes, gaps, pinned, deleted_at",
    "imports": "state, title, description, made_at, media_s, bytes, pinned, deleted_at",
}

TOLD = {table: select.replace(f" FROM {table}", f", s.id FROM {table}", 1) for table, select in _KINDS.items()}
"""A query for each table: what `COLUMNS` of its rows in `videos` have to be, and their id behind them. A view has each: every
connection keeps all triggers as parsed, and with the queries in twenty of them that took a megabyte.
"""
COLUMNS = tuple(_COLUMNS.split(", "))


def _trigger(name: str, when: str, *does: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN {'; '.join(does)}; END"


def _view(table: str) -> str:
    return f"videos_of_{table}"


def _refresh(table: str, which: str) -> str:
    """`which`: an expression for its id. What is gone is gone."""
    return f"UPDATE {_view(table)} SET id = id WHERE id = {which}"


def _views() -> list[str]:
    news = ", ".join(f"NEW.{name}" for name in COLUMNS)
    made: list[str] = []
    for table, query in TOLD.items():
        made.append(f"CREATE VIEW {_view(table)} ({_COLUMNS}, id) AS {query}")
        again = f"UPDATE videos SET ({_COLUMNS}) = ({news}) WHERE id = OLD.id"
        made.append(f"CREATE TRIGGER {_view(table)}_again INSTEAD OF UPDATE ON {_view(table)} BEGIN {again}; END")
    return made


def _due(numbers: str) -> str:
    """`numbers`: a query; some of them may be due already."""
    return f"INSERT INTO video_words_due (number) {numbers} AND number NOT IN (SELECT number FROM video_words_due)"


def _of_sources() -> list[str]:
    made: list[str] = []
    for table, owner in _OWNERS.items():
        as_told = f"INSERT INTO videos ({_COLUMNS}, id) SELECT * FROM {_view(table)} WHERE id = NEW.id"
        of_its_file = f"(SELECT {owner} FROM files WHERE id = NEW.file_id)"
        new, old = f"NEW.{owner}", f"OLD.{owner}"
        made += [
            _trigger(f"{table}_come", f"INSERT ON {table}", as_told),
            _trigger(f"{table}_change", f"UPDATE OF {_SEEN[table]} ON {table}", _refresh(table, "NEW.id")),
            _trigger(f"{table}_go", f"DELETE ON {table}", "DELETE FROM videos WHERE id = OLD.id"),
            _trigger(f"files_come_for_{table}", f"INSERT ON files WHEN {new} IS NOT NULL", _refresh(table, new)),
            _trigger(
                f"files_change_for_{table}",
                f"UPDATE OF tracks, role, part ON files WHEN {new} IS NOT NULL",
                _refresh(table, new),
            ),
            _trigger(f"files_go_for_{table}", f"DELETE ON files WHEN {old} IS NOT NULL", _refresh(table, old)),
            _trigger(f"media_info_come_for_{table}", "INSERT ON media_info", _refresh(table, of_its_file)),
            _trigger(f"media_info_change_for_{table}", "UPDATE OF doc ON media_info", _refresh(table, of_its_file)),
        ]
    return made


def _of_channels() -> list[str]:
    its_recording = "(SELECT id FROM recordings WHERE broadcast_id = NEW.id)"
    as_it_is = "UPDATE videos SET channel_name = NEW.name, platform = NEW.platform WHERE channel_id = NEW.id"
    as_nobody = "UPDATE videos SET channel_name = '', platform = '' WHERE channel_id = OLD.id"
    return [
        _trigger("broadcasts_change", "UPDATE OF category ON broadcasts", _refresh("recordings", its_recording)),
        _trigger("channels_come", "INSERT ON channels", as_it_is),
        _trigger("channels_change", "UPDATE OF name, platform ON channels", as_it_is),
        _trigger("channels_go", "DELETE ON channels", as_nobody),
    ]


def _of_words() -> list[str]:
    fields, old, new = (", ".join(each + name for name in _WORDS) for each in ("", "OLD.", "NEW."))
    forget = f"INSERT INTO video_words (video_words, rowid, {fields}) VALUES ('delete', OLD.number, {old})"
    learn = f"INSERT INTO video_words (rowid, {fields}) VALUES (NEW.number, {new})"
    it_is_due = _due("SELECT number FROM videos WHERE number = NEW.number")
    it_was_due = it_is_due.replace("NEW.", "OLD.")
    others = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in ("title", "description", "channel_name"))
    told = "told_title, told_description, edited, channel_name"
    return [
        _trigger("videos_come", "INSERT ON videos", it_is_due),
        _trigger("videos_change", f"UPDATE OF {told} ON videos WHEN {others}", it_is_due),
        _trigger(
            "videos_go",
            "DELETE ON videos",
            "DELETE FROM video_words_text WHERE number = OLD.number",
            "DELETE FROM video_words_due WHERE number = OLD.number",
        ),
        _trigger("video_words_come", "INSERT ON video_words_text", learn),
        _trigger("video_words_change", "UPDATE ON video_words_text", forget, learn),
        _trigger("video_words_go", "DELETE ON video_words_text", forget),
        _trigger(
            "video_tags_come",
            "INSERT ON video_tags",
            "UPDATE tags SET videos = videos + 1 WHERE id = NEW.tag_id",
            it_is_due,
        ),
        _trigger(
            "video_tags_go",
            "DELETE ON video_tags",
            "UPDATE tags SET videos = videos - 1 WHERE id = OLD.tag_id",
            it_was_due,
        ),
        _trigger(
            "tags_change",
            "UPDATE OF name ON tags WHEN NEW.name IS NOT OLD.name",
            _due("SELECT number FROM video_tags WHERE tag_id = NEW.id"),
        ),
    ]


_INDEX = f"""CREATE VIRTUAL TABLE video_words USING fts5({", ".join(_WORDS)},
 content='video_words_text', content_rowid='number', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')"""

EXTRAS = (_INDEX, *_views(), *_of_sources(), *_of_channels(), *_of_words())
"""What is made behind all tables."""
