"""Streams that only ffmpeg reads, through one child that writes MPEG-TS into a pipe.

`command` writes its command line, `words` reads what it says on stderr, `picking` decides what is taken of what it found, `pipe`
reads its output, and `source` joins them. Facts: `docs/reference/sources.md`.
"""

from ouzel.engine.sources.ffmpeg.source import FfmpegSource

__all__ = ["FfmpegSource"]
