"""FLV with HEVC or AV1 as Chinese CDNs write it, in the form that ffmpeg reads: a program for the front of a pipe.

python -m ouzel.engine.modern FILE | ffmpeg -f flv -i pipe:0 …
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ouzel.base.errors import MediaError
from ouzel.engine.reading import MediaReader
from ouzel.formats.flv import modernise

_PIECE_BYTES = 1 << 20
_TRANSLATED = frozenset({"hevc", "av1"})


def feeder(path: Path) -> list[str] | None:
    """The program to read this file through; None when ffmpeg reads it by itself.

    Raises: StorageError. Of what is wrong with the file its reader will tell.
    """
    if path.suffix != ".flv":
        return None
    try:
        head = MediaReader(path).first_head()
    except MediaError:
        return None
    if head.container != "flv" or head.video is None or head.video.codec not in _TRANSLATED:
        return None
    return [sys.executable, "-P", "-m", "ouzel.engine.modern", str(path)]


def main(argv: list[str]) -> int:
    try:
        with Path(argv[1]).open("rb") as file:
            for piece in modernise(_pieces(file)):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    except MediaError as exc:
        sys.stderr.write(f"{argv[1]}: {exc}\n")
        return 1
    return 0


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(_PIECE_BYTES):
        yield data


if __name__ == "__main__":
    sys.exit(main(sys.argv))
