"""An endless MPEG-TS that breaks off: what stays ends with whole units, wherever the break is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Edge, Head, Op, TakeBack
from ouzel.testing.clips import Clip

PACKET = 188
FIRST, BREAKS, STEP = 479 * PACKET, 240, 47
"""Where the breaks are: in each packet at four places, one of which is its end."""


def units(data: bytes) -> dict[int, list[bytes]]:
    """The payloads of all units, by PID."""
    found: dict[int, list[bytes]] = {}
    for at in range(0, len(data), PACKET):
        packet = data[at : at + PACKET]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid not in (0x100, 0x101) or not packet[3] & 0x10:
            continue
        if packet[1] & 0x40:
            found.setdefault(pid, []).append(b"")
        found[pid][-1] += packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    return found


def kept_of(data: bytes, piece: int, *, broken: bool = True) -> bytes:
    """What is in the file when these bytes were all that came, in pieces of this length. Nothing is wrong with it."""
    shaper, out, start = TsShaper(mode="continuous"), bytearray(), 0

    def ops() -> Iterator[Op]:
        for at in range(0, len(data), piece):
            yield from shaper.feed(memoryview(bytearray(data[at : at + piece])))
        yield from shaper.cut(broken=broken)

    for op in ops():
        if isinstance(op, Edge):
            assert not op.span.damage
            del out[max(start, len(out) - op.span.excess) :]
            start = len(out)
        elif not isinstance(op, (Head, TakeBack)):
            out += op
    return bytes(out[:start])


@pytest.mark.parametrize("piece", [7 * PACKET, 4096, 65536])
def test_a_unit_that_is_not_whole_is_left_out(clip: Clip, piece: int) -> None:
    data = b"".join(path.read_bytes() for path in clip.ts_segments("av")[:4])
    whole = units(data)
    ends: set[int] = set()
    for at in range(FIRST, FIRST + BREAKS * STEP, STEP):
        kept = kept_of(data[:at], piece)
        ends.add(len(kept))
        assert kept_of(kept, piece, broken=False) == kept, "it is whole by itself"
        for pid, found in units(kept).items():
            assert found == whole[pid][: len(found)], (at, hex(pid), len(found))
    assert len(ends) > 5, "what is whole is kept, not only what came before the first break"
