"""The HLS downloader: `downloader.yaml`, files of tasks, and `DOWNLOADER_…` in files of variables."""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.config.importers.keys import KeyReader, key_table
from ouzel.config.importers.result import Format, Imported, ImportedDownload, Problem, Value
from ouzel.config.importers.tree import Node

YAML_KEYS = key_table("""
default_profile -> download.profile,,kept_for_later
temp_dir -> download.temp,,kept_for_later
output_dir -> download.folder,,kept_for_later
default_threads -> download.connections,number,kept_for_later
max_threads -> download.most_connections,number,kept_for_later
max_retries -> download.retries,number,kept_for_later
retry_delay -> download.retry_delay_s,seconds,kept_for_later
connect_timeout -> download.connect_timeout_s,seconds,kept_for_later
read_timeout -> download.read_timeout_s,seconds,kept_for_later
log_file -> log.file
log_level -> log.level
max_concurrent_tasks -> download.at_once,number,kept_for_later
profiles.*.threads -> download.profiles.*.connections,number,kept_for_later
profiles.*.max_retries -> download.profiles.*.retries,number,kept_for_later
profiles.*.retry_delay -> download.profiles.*.retry_delay_s,seconds,kept_for_later
profiles.*.chunk_size -> download.profiles.*.read_bytes,number,kept_for_later
""")
ENV_KEYS = key_table("""
DOWNLOADER_ENABLED -> download.on,bool,kept_for_later
DOWNLOADER_MAX_CONCURRENT -> download.at_once,number,kept_for_later
DOWNLOADER_TEMP_DIR -> download.temp,,kept_for_later
DOWNLOADER_OUTPUT_DIR -> download.folder,,kept_for_later
""")
TASK_KEYS = frozenset({"name", "url", "output_dir", "quality", "profile"})


def parse_downloader(root: Node, format_: Format) -> Imported:
    """`downloader.yaml`, or variables as a table."""
    reader = KeyReader(ENV_KEYS if format_ == "downloader_env" else YAML_KEYS)
    settings = tuple(reader.settings(root))
    return Imported(format_, settings=settings, notices=tuple(reader.notices), problems=tuple(reader.problems))


def parse_tasks(root: Node) -> Imported:
    """A list of `{name, url, output_dir?, quality?, profile?}`; also as `{"tasks": […]}`."""
    reader = KeyReader({})
    tasks = (root.table or {}).get("tasks", root)
    downloads = tuple(_downloads(tasks, reader))
    return Imported(
        "download_tasks", downloads=downloads, notices=tuple(reader.notices), problems=tuple(reader.problems)
    )


def _downloads(tasks: Node, reader: KeyReader) -> Iterator[ImportedDownload]:
    for each in tasks:
        table = each.table or {}
        words = {key: node.text or "" for key, node in table.items() if key in TASK_KEYS}
        url = words.get("url", "")
        if "://" not in url:
            code = "bad_address" if url else "no_address"
            fields = {"text": words.get("name", "")[:60], "why": "https://host/path.m3u8"}
            reader.problems.append(Problem(each.line, code, fields))
            continue
        reader.refuse(table, TASK_KEYS, "tasks.")
        extra: dict[str, Value] = {
            ours: words[theirs]
            for theirs, ours in (("output_dir", "folder"), ("profile", "profile"))
            if words.get(theirs)
        }
        yield ImportedDownload(url, each.line, words.get("name", ""), words.get("quality", ""), extra)
