"""What the words of `ouzel download` name that is read from files: keys, and lists of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ouzel.base.errors import BadOption
from ouzel.cli.output import Output
from ouzel.cli.texts import tr

_KEY_BYTES = 16
_KEY_FILE = 1024
"""Bytes of a file in which the digits may stand, with whatever is around them."""
_TASKS = '[{"name": …, "url": …}, …]'


@dataclass(frozen=True, slots=True)
class Entry:
    """A download as it is named, unread."""

    url: str
    name: str = ""
    folder: str = ""
    quality: str = ""
    profile: str = ""
    place: str = ""
    """`tasks.json:3`; empty: on the command line."""


def read_task_file(path: Path, output: Output) -> Iterator[Entry | None]:
    """Its entries; None for each that is broken, which is told.

    Raises: BadOption when it cannot be read, or is no list of tasks.
    """
    from ouzel.config.importers.detect import read_foreign  # and with it all importers

    try:
        data = path.read_bytes()
    except OSError as exc:
        raise BadOption(f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}") from exc
    imported = read_foreign(data, path.name)
    if imported.format != "download_tasks":
        told = next((each for each in imported.problems if each.code != "file_unknown"), None)
        if told is None or imported.format is not None:
            raise BadOption(f"{path} is no list of tasks: {_TASKS}")
        where = f"{path}:{told.line}" if told.line else str(path)
        raise BadOption(f"{where}: {tr(f'import.{told.code}', **told.fields)}")
    for each in imported.notices:
        why = f"{path}:{each.line}: {tr(f'import.{each.code}', **each.fields)}"
        output.json({"event": "warning", "code": each.code, "why": why})
        output.tell(f"{tr('warning')}: {why} ({each.code})")
    for each in imported.problems:
        output.complain(each.code, f"{path}:{each.line}: {tr(f'import.{each.code}', **each.fields)}")
        yield None
    for each in imported.downloads:
        folder, profile = str(each.extra.get("folder", "")), str(each.extra.get("profile", ""))
        yield Entry(each.url, each.name, folder, each.quality, profile, f"{path}:{each.line}")


def read_key(text: str | None) -> bytes | None:
    """Raises: BadOption for what is no key of 16 bytes; what was given is not shown."""
    if text is None:
        return None
    try:
        data = bytes.fromhex(text.removeprefix("0x").removeprefix("0X"))
    except ValueError:
        data = _key_in(Path(text))
    if len(data) != _KEY_BYTES:
        raise BadOption(f"the key has {len(data)} bytes; AES-128 wants {_KEY_BYTES}")
    return data


def _key_in(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(_KEY_FILE + 1)
    except (OSError, RuntimeError) as exc:
        why = (exc.strerror or "").lower() if isinstance(exc, OSError) else "no such user"
        raise BadOption(f"--key takes 32 hexadecimal digits, or a file; as a file: {why}") from None
    if len(data) > _KEY_FILE:
        raise BadOption(f"the key has more than {_KEY_FILE} bytes; AES-128 wants {_KEY_BYTES}")
    if len(data) == _KEY_BYTES:
        return data
    try:
        return bytes.fromhex(data.decode("ascii").strip().removeprefix("0x"))
    except ValueError:
        return data
