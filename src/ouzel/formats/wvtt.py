"""WebVTT in MP4: cues as boxes in samples.

A sample holds what is shown during it, so that a cue which goes on while another one comes or goes stands in several of them.
Source: ISO/IEC 14496-30 section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ouzel.formats.fmp4.boxes import Box, children, first
from ouzel.formats.fmp4.samples import Sample
from ouzel.formats.webvtt import Cue, joined


def parse_cues(samples: Iterable[Sample]) -> tuple[Cue, ...]:
    """In order of time, each once; times as the samples have them. Raises: FormatError."""
    found = (
        Cue(sample.start_s, sample.end_s, text, settings)
        for sample in samples
        for text, settings in _texts(sample.data)
    )
    return joined(found)


def _texts(sample: bytes) -> Iterator[tuple[str, str]]:
    """Text and settings of the cues in one sample."""
    for each in children(sample, 0, len(sample)):
        if each.kind == b"vttc" and (payload := first(sample, each, b"payl")) is not None:
            settings = first(sample, each, b"sttg")
            yield _decoded(sample, payload), _decoded(sample, settings) if settings is not None else ""


def _decoded(sample: bytes, box: Box) -> str:
    """Without empty lines, which would end the cue."""
    text = sample[box.body : box.end].decode("utf-8", "replace")
    return "\n".join(line for line in text.splitlines() if line.strip())
