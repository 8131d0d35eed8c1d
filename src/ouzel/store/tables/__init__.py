"""All tables. A module here for each noun; what a column holds stands beside it."""

from ouzel.store.tables.base import METADATA
from ouzel.store.tables.broadcasts import broadcasts, chapters, files, gaps, recordings
from ouzel.store.tables.channels import channels, followed, layers, revisions
from ouzel.store.tables.downloads import downloads
from ouzel.store.tables.events import events, notices
from ouzel.store.tables.imports import imports, uploads
from ouzel.store.tables.jobs import jobs
from ouzel.store.tables.messages import messages, routes, targets, telling
from ouzel.store.tables.ownership import nodes, owns
from ouzel.store.tables.pipelines import pipeline_runs, pipelines
from ouzel.store.tables.policies import policies
from ouzel.store.tables.remotes import copies, remotes
from ouzel.store.tables.standings import standing_history, standings
from ouzel.store.tables.storage import roots
from ouzel.store.tables.users import api_keys, audit, idempotency, sessions, setup_links, users
from ouzel.store.tables.video_triggers import EXTRAS
from ouzel.store.tables.videos import (
    media_info,
    playlist_items,
    playlists,
    tag_rules,
    tags,
    video_tags,
    video_words_due,
    video_words_text,
    videos,
    watches,
)

__all__ = [
    "EXTRAS",
    "METADATA",
    "api_keys",
    "audit",
    "broadcasts",
    "channels",
    "chapters",
    "copies",
    "downloads",
    "events",
    "files",
    "followed",
    "gaps",
    "idempotency",
    "imports",
    "jobs",
    "layers",
    "media_info",
    "messages",
    "nodes",
    "notices",
    "owns",
    "pipeline_runs",
    "pipelines",
    "playlist_items",
    "playlists",
    "policies",
    "recordings",
    "remotes",
    "revisions",
    "roots",
    "routes",
    "sessions",
    "setup_links",
    "standing_history",
    "standings",
    "tag_rules",
    "tags",
    "targets",
    "telling",
    "uploads",
    "users",
    "video_tags",
    "video_words_due",
    "video_words_text",
    "videos",
    "watches",
]
