"""Where the files of a recording go, in the words of the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ouzel.base.errors import BadOption, OutputExists
from ouzel.engine.names import Target
from ouzel.engine.sinks.file import LEDGER, PART, storage_error
from ouzel.model.naming import check_template

FORMATS = ("ts", "mkv", "mp4", "flv", "mp3", "m4a")
_NOT_MADE = frozenset(
    {
        "3gp",
        "aac",
        "asf",
        "avi",
        "flac",
        "m2ts",
        "m3u8",
        "m4v",
        "mka",
        "mov",
        "mpeg",
        "mpg",
        "mts",
        "ogg",
        "opus",
        "wav",
        "webm",
        "wmv",
    }
)
"""Endings with which somebody means a file; a folder of such a name would be a surprise."""


def read_target(output: str | None, *, template: str, several: bool, numbered: bool) -> tuple[Target, str | None]:
    """The target, and the format that the output's ending asks for (None when it asks for none).

    Raises: BadOption, OutputExists.
    """
    check_template(template)
    path, ending = read_output(output)
    if ending is None:
        return Target(path, None, template, numbered), None
    if several:
        raise BadOption(f"{output} is one file, but there are several addresses: give a folder")
    _refuse_existing(path)
    return Target(path.parent, path.stem, template, numbered), ending


def read_output(output: str | None) -> tuple[Path, str | None]:
    """The path, and the ending of a file; None: a folder is meant.

    Raises: BadOption, OutputExists when it is there, and no folder.
    """
    if output == "-":
        raise BadOption("-: nothing is written to standard output; a folder of this name is written ./-")
    path = _absolute(output or ".")
    ending = path.suffix.lstrip(".").lower()
    is_file = ending in FORMATS or ending in _NOT_MADE
    is_folder = os.path.isdir(path)  # noqa: PTH112  # takes any text
    if not output or output.endswith("/") or is_folder or not is_file:
        if os.path.lexists(path) and not is_folder:
            raise OutputExists(f"{output} exists already, and is not a folder")
        return path, None
    if ending in _NOT_MADE:
        raise BadOption(
            f"{output}: Ouzel makes no .{ending}, but {', '.join(FORMATS)}; a folder of this name is written {output}/"
        )
    return path, ending


def _absolute(output: str) -> Path:
    try:
        return Path(output).expanduser().absolute()
    except RuntimeError:
        raise BadOption(f"{output}: there is no user of this name") from None
    except OSError as exc:  # the working folder was removed
        raise storage_error(exc, Path(output)) from exc


def _refuse_existing(path: Path) -> None:
    for name in (path, path.with_suffix(LEDGER), path.with_name(path.name + PART)):
        try:
            name.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            raise storage_error(exc, name) from exc
        raise OutputExists(f"{name} exists already; give another name or remove it")
