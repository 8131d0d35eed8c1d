"""The HLS downloader: `downloader.yaml`, files of tasks, and `DOWNLOADER_…` in files of variables."""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.config.importers.keys import KeyReader, key_table
from ouzel.config.importers.result import Format, Imported, ImportedDownload, Problem, Value
from ouzel.config.importers.tree import Node

YAML_KEYS = key_table("""
default_profile -> download.profile
temp_dir -> ,,not_needed
output_dir -> download.folder
default_threads -> download.connections,number
max_threads -> download.most_connections,number
max_retries -> download.retries,number
retry_delay -> download.retry_delay_s,seconds
connect_timeout -> download.connect_timeout_s,seconds
read_timeout -> download.read_timeout_s,seconds
log_file -> log.file
log_level -> log.level
max_concurrent_tasks -> download.at_once,number
profiles.*.threads -> download.profiles.*.connections,number
profiles.*.max_retries -> download.profiles.*.retries,number
profiles.*.retry_delay -> download.profiles.*.retry_delay_s,seconds
profiles.*.chunk_size -> ,,not_needed
""")
ENV_KEYS = key_table("""
DOWNLOADER_ENABLED -> ,,not_needed
DOWNLOADER_MAX_CONCURRENT -> download.at_once,number
DOWNLOADER_TEMP_DIR -> ,,not_needed
DOWNLOADER_OUTPUT_DIR -> download.folder
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
            fields = {
                "text": words.get("name", "")[:60],
                "why": f"{url.partition('?')[0][:60]} (https://host/path.m3u8)",
            }
            reader.problems.append(Problem(each.line, code, fields))
            continue
        reader.refuse(table, TASK_KEYS, "tasks.")
        extra: dict[str, Value] = {
            ours: words[theirs]
            for theirs, ours in (("output_dir", "folder"), ("profile", "profile"))
            if words.get(theirs)
        }
        yield ImportedDownload(url, each.line, words.get("name", ""), words.get("quality", ""), extra)
