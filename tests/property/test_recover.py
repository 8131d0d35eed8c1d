"""Whatever the disk held at the moment of the crash: all that is whole is kept, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.engine.recover import recover
from ouzel.engine.sinks.file import FileSink
from ouzel.formats.shape import Head, Span
from ouzel.model import ledger
from ouzel.model.ledger_lines import Opening
from ouzel.model.recovery import Outcome

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIZES = (700, 1, 4000, 300, 1500)


def write(folder: Path) -> tuple[bytes, bytes, list[int], list[int]]:
    """A running recording; its media, its ledger, and where in each the chunks end."""
    sink = FileSink(folder / "show.ts", Opening("show.ts", "ts", NOON, "", 1, ""), Head("ts", (), b"head"))
    media_ends, ledger_ends = list[int](), list[int]()
    for number, size in enumerate(SIZES):
        sink.write([bytes([number + 1]) * size])
        sink.commit(Span(number * 2.0, number * 2.0 + 2), wall=NOON, sequence=number, scope="all")
        media_ends.append(sink.size)
        ledger_ends.append(sink.ledger_path.stat().st_size)
    sink.release()
    return sink.part_path.read_bytes(), sink.ledger_path.read_bytes(), media_ends, ledger_ends


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_two_lengths_of_media_and_ledger(data: st.DataObject) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        media, book, media_ends, ledger_ends = write(folder)
        media_size = data.draw(st.integers(media_ends[0], len(media)) | st.sampled_from(media_ends))
        ledger_size = data.draw(st.integers(ledger_ends[0], len(book)) | st.sampled_from(ledger_ends))
        tail = data.draw(st.sampled_from([b"", bytes(5000), b"\x47" * 5000]))
        (folder / "show.ts.part").write_bytes(media[:media_size] + tail)
        found = book[:ledger_size] + data.draw(
            st.sampled_from([b"", bytes(100), b"\n"])
        )  # a line end may be all that was torn
        (folder / "show.ledger").write_bytes(found)
        whole = [found[:b] == book[:b] for b in ledger_ends]
        keep = sum(m <= media_size and good for m, good in zip(media_ends, whole, strict=True))
        listed = sum(whole)

        (done,) = anyio.run(recover, folder)

        assert (done.outcome, done.chunks, done.lost_chunks) == (Outcome.CLOSED, keep, listed - keep)
        assert (folder / "show.ts").read_bytes() == media[: media_ends[keep - 1]]
        held = ledger.read((folder / "show.ledger").read_bytes())
        assert not held.torn
        assert [c.sequence for c in held.chunks] == list(range(keep))
        assert [(g.first_sequence, g.last_sequence) for g in held.gaps] == (
            [(keep, listed - 1)] if keep < listed else []
        )
        assert held.closing is not None
        assert (held.closing.size, held.closing.chunks) == (media_ends[keep - 1], keep)
        assert anyio.run(recover, folder) == []
