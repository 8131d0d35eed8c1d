"""What is in a media file, asked of FFmpeg's libraries in a child process: a demuxer or decoder that crashes takes only it down.

found = await probe(path)                    # every packet is looked at
found = await probe(path, depth="decode")    # and every frame
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from ouzel.base.errors import MediaError, NotMedia, ToolFailed
from ouzel.engine.meter import OnProgress
from ouzel.engine.probing import PIPE
from ouzel.model.media import Edges, Found, StreamFound
from ouzel.system.process import run

_PROBING = "ouzel.engine.probing"

Depth = Literal["header", "packets", "decode"]


async def probe(
    path: Path,
    *,
    depth: Depth = "packets",
    on_progress: OnProgress | None = None,
    nice: int = 0,
    fed_by: Sequence[str] | None = None,
) -> Found:
    """Look into a file.

    Args:
        fed_by: a program that gives what is to be read in its place, as FLV.
    Raises: NotMedia when FFmpeg does not know what it is; MediaError when it cannot be read.
    """
    doc = await ask(_PROBING, [depth, PIPE if fed_by else str(path)], path, on_progress, nice, fed_by)
    doc["streams"] = [StreamFound(**s) for s in doc["streams"]]
    return Found(**doc)


async def find_edges(path: Path, from_s: float, to_s: float) -> Edges:
    """The key frames around a stretch of a file; times in seconds from its start. Raises: as `probe`."""
    return Edges(**await ask(_PROBING, ["edges", str(path), str(from_s), str(to_s)], path, None, 0))


async def ask(
    module: str,
    args: list[str],
    path: Path,
    on_progress: OnProgress | None,
    nice: int,
    fed_by: Sequence[str] | None = None,
) -> dict[str, Any]:
    """What a child that looks into a file answers: on its last line, or in its `refused`; before that it tells its share.

    Raises: as `probe`.
    """
    doc: dict[str, Any] = {}

    def read(line: str) -> None:
        doc.update(json.loads(line))
        share = doc.pop("done", None)
        if share is not None and on_progress is not None:
            on_progress(share)

    try:
        await run([sys.executable, "-P", "-m", module, *args], fed_by=fed_by, on_line=read, nice=nice)
    except ToolFailed as exc:
        code = cast("int", exc.context.get("returncode", 0))
        how = signal.Signals(-code).name if code < 0 else exc.message
        raise MediaError(f"{path} cannot be read: the reader crashed ({how})") from exc
    if (refusal := doc.pop("refused", None)) is not None:
        raise (NotMedia if refusal["not_media"] else MediaError)(f"{path}: {refusal['why']}")
    return doc
