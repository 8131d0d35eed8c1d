"""The child process of `joining`: the packets of several files, one after the other, in one file. Nothing is decoded.

    python -m ouzel.engine.afterwards.splicing PLAN BEGINS FILE BEGINS FILE …

PLAN is JSON: `out`, `muxer`, `options`. BEGINS is the second of the joined file at which a file begins. It answers like
`probing`: the share that is done on some lines, and one document on the last.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ouzel.engine.saying import answer, say

_LOCAL_ONLY = {"protocol_whitelist": "file"}
_REPORT_EVERY = 2000
_MICRO = 1_000_000


def main(argv: list[str]) -> None:
    sources = [*zip(argv[2::2], map(float, argv[1::2]), strict=True)]
    answer(lambda: _splice(json.loads(argv[0]), sources))


def _splice(plan: dict[str, Any], sources: list[tuple[str, float]]) -> dict[str, Any]:
    import av

    lanes: list[_Lane] = []
    with av.open(plan["out"], "w", format=plan["muxer"], options=plan["options"]) as out:
        for number, (path, begins_s) in enumerate(sources):
            with av.open(path, options=_LOCAL_ONLY) as opened:
                source: Any = opened
                streams = _streams(source)
                if not lanes:
                    lanes = [_Lane(_added(out, stream, plan["muxer"])) for stream in streams]
                    out.start_encoding()
                of_stream = {stream.index: lane for stream, lane in zip(streams, lanes, strict=True)}
                shift = Fraction(begins_s).limit_denominator(_MICRO) - Fraction(source.start_time or 0, _MICRO)
                for packet, share in _packets(source, streams):
                    if share is not None:
                        say({"done": round((number + share) / len(sources), 4)})
                    of_stream[packet.stream_index].put(out, packet, shift)
    return {"packets": [lane.count for lane in lanes]}


def _streams(source: Any) -> list[Any]:
    return [*source.streams.video, *source.streams.audio]


def _added(out: Any, stream: Any, muxer: str) -> Any:
    added = out.add_stream_from_template(stream)
    if muxer == "mp4" and stream.codec_context.name == "hevc":
        added.codec_context.codec_tag = "hvc1"  # Apple's players take only this one
    return added


def _packets(source: Any, streams: list[Any]) -> Iterator[tuple[Any, float | None]]:
    """With the share of the file that is read, now and then."""
    size, seen = source.size or 1, 0
    for packet in source.demux(streams):
        if not packet.size or (packet.dts is None and packet.pts is None):
            continue
        seen += 1
        at = packet.pos if seen % _REPORT_EVERY == 0 else None
        yield packet, None if at is None else min(1.0, at / size)


class _Lane:
    """One stream of the joined file."""

    def __init__(self, stream: Any) -> None:
        self.count = 0
        self._stream = stream
        self._last: int | None = None

    def put(self, out: Any, packet: Any, shift: Fraction) -> None:
        """At its time in the joined file. Sound that laps over the end of the file before, by a part of a frame, follows it."""
        base, own = self._stream.time_base, packet.time_base
        dts = packet.dts if packet.dts is not None else packet.pts
        pts = packet.pts if packet.pts is not None else dts
        decoded = round((dts * own + shift) / base)
        if self._last is not None:
            decoded = max(decoded, self._last + 1)
        shown, lasts = round((pts * own + shift) / base), round((packet.duration or 0) * own / base)
        packet.time_base = base
        packet.dts, packet.pts, packet.duration = decoded, max(shown, decoded), lasts
        packet.stream = self._stream
        self._last = decoded
        self.count += 1
        out.mux_one(packet)


if __name__ == "__main__":
    main(sys.argv[1:])
