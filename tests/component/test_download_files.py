"""Files of downloads in the hands of the other commands: their holes are told, and nothing is cut off or thrown away."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest
from tests.downloads import SOURCE, download
from tests.recordings import NOON, segments
from xxhash import xxh3_64_hexdigest

from ouzel.base.errors import BadOption
from ouzel.engine import ledgers
from ouzel.engine.clip import clip as cut
from ouzel.engine.convert import convert
from ouzel.engine.download.file import PlacedFile
from ouzel.engine.info import describe
from ouzel.engine.recover import recover, recover_files
from ouzel.engine.verify import verify
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.ledger_lines import CutLine, Line, Opening
from ouzel.model.recovery import Outcome
from ouzel.model.verdict import FindingCode
from ouzel.testing.clips import Clip

pytestmark = pytest.mark.anyio
CONTAINERS: tuple[Container, ...] = ("ts", "mp4")
C = FindingCode


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# -- verify -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_whole_download_is_clean(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = download(tmp_path, clip, container)
    head, parts = segments(clip, container)
    assert media.read_bytes() == head + b"".join(parts)
    shares: list[float] = []
    verdict = await verify(media, on_progress=shares.append)
    assert (verdict.status, verdict.findings, verdict.chunks, verdict.media_s) == ("clean", (), 12, 12.0)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("roomless", [False, True])
@pytest.mark.parametrize("lost", [[4], [0], [11], [0, 5, 6, 11]])
@pytest.mark.parametrize("container", CONTAINERS)
async def test_its_holes_are_gaps_and_no_damage(
    tmp_path: Path, clip: Clip, container: Container, lost: list[int], roomless: bool
) -> None:
    verdict = await verify(download(tmp_path, clip, container, lost=lost, roomless=roomless))
    assert (verdict.status, verdict.findings) == ("gaps", ())
    assert (verdict.chunks, verdict.media_s, len(verdict.gaps)) == (12 - len(lost), 12.0 - len(lost), len(lost))


async def test_a_changed_byte_is_found_in_its_piece_and_in_the_head(tmp_path: Path, clip: Clip) -> None:
    media = download(tmp_path, clip, "mp4", lost=[2])
    chunk = next(c for c in ledger.read(media.with_suffix(".ledger").read_bytes()).chunks if c.index == 7)
    data = bytearray(media.read_bytes())
    data[chunk.offset + 10] ^= 1
    data[8] ^= 1
    media.write_bytes(data)
    verdict = await verify(media)
    assert [(finding.code, finding.offset) for finding in verdict.findings] == [
        (C.BYTES_CHANGED, chunk.offset), (C.BYTES_CHANGED, 0),
    ]  # fmt: skip


async def test_a_piece_without_a_line_and_a_gap_is_a_contradiction(tmp_path: Path, clip: Clip) -> None:
    media = download(tmp_path, clip)
    book = media.with_suffix(".ledger")
    lines = [line for line in ledger.salvage(book.read_bytes()) if getattr(line, "index", None) != 5]
    book.write_bytes(b"".join(map(ledger.render, lines)))
    verdict = await verify(media)
    assert verdict.status == "damaged"
    assert C.LEDGER_WRONG in [finding.code for finding in verdict.findings]


async def test_an_unfinished_one_says_how_to_go_on(tmp_path: Path, clip: Clip) -> None:
    verdict = await verify(download(tmp_path, clip, lost=[3], close=False))
    (finding,) = verdict.findings
    assert finding.code is C.NOT_CLOSED
    assert "ouzel download" in finding.detail


# -- info -------------------------------------------------------------------------------------------------------------


async def test_what_is_known_of_it(tmp_path: Path, clip: Clip) -> None:
    known = await describe(download(tmp_path, clip, lost=[3]))
    assert (known.state, known.source, known.chunks, known.media_s, known.missing_s) == (
        "closed",
        SOURCE,
        11,
        11.0,
        1.0,
    )


async def test_it_is_being_downloaded_or_was_interrupted(tmp_path: Path, clip: Clip) -> None:
    part = download(tmp_path, clip, lost=[3], close=False)
    assert (await describe(part)).state == "interrupted"
    with ledgers.ledger_path(part).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert (await describe(part)).state == "downloading"


# -- recover ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_recover_leaves_an_unfinished_download_to_who_goes_on_with_it(
    tmp_path: Path, clip: Clip, container: Container
) -> None:
    part = download(tmp_path, clip, container, lost=[0, 5], close=False)
    before = snapshot(tmp_path)
    (told,) = await recover(tmp_path)
    assert (told.outcome, told.path, told.chunks, told.is_whole) == (Outcome.DOWNLOAD, str(part), 10, True)
    (again,) = await recover_files([part], ours=True)
    assert again.outcome is Outcome.DOWNLOAD
    assert snapshot(tmp_path) == before


async def test_so_it_does_with_containers_that_recordings_do_not_have(tmp_path: Path, clip: Clip) -> None:
    part = download(tmp_path, clip, lost=[2], close=False)
    book = ledgers.ledger_path(part)
    lines = [_renamed(line, "show.vtt") for line in ledger.salvage(book.read_bytes())]
    book.write_bytes(b"".join(map(ledger.render, lines)))
    part.rename(tmp_path / "show.vtt.part")
    before = snapshot(tmp_path)
    (told,) = await recover(tmp_path)
    assert (told.outcome, told.path) == (Outcome.DOWNLOAD, str(tmp_path / "show.vtt.part"))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("named", [False, True])
async def test_one_whose_ledger_is_damaged_is_not_told_anew_from_its_media(
    tmp_path: Path, clip: Clip, named: bool
) -> None:
    part = download(tmp_path, clip, lost=[5], close=False)
    book = ledgers.ledger_path(part)
    data = bytearray(book.read_bytes())
    data[data.index(b"\n") - 4] ^= 1  # of its first line
    book.write_bytes(data)
    if named:
        part.rename(tmp_path / "show.ts")
    before = snapshot(tmp_path)
    (told,) = await recover(tmp_path)
    assert (told.outcome, told.is_whole) == (Outcome.UNREADABLE, False)
    assert snapshot(tmp_path) == before


async def test_one_that_was_reopened_to_be_repaired_is_left_alone_too(tmp_path: Path, clip: Clip) -> None:
    media = download(tmp_path, clip, lost=[5])
    part = media.rename(tmp_path / "show.ts.part")
    with media.with_suffix(".ledger").open("ab") as file:
        file.write(ledger.render(CutLine(12)))
    before = snapshot(tmp_path)
    assert [told.outcome for told in await recover(part.parent)] == [Outcome.DOWNLOAD]
    assert snapshot(tmp_path) == before


async def test_one_that_is_closed_is_not_touched(tmp_path: Path, clip: Clip) -> None:
    download(tmp_path, clip, lost=[5])
    before = snapshot(tmp_path)
    assert await recover(tmp_path) == []
    assert snapshot(tmp_path) == before


# -- closed again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("roomless", [False, True])
@pytest.mark.parametrize("container", CONTAINERS)
async def test_what_could_not_be_repaired_is_closed_again_as_it_was(
    tmp_path: Path, clip: Clip, container: Container, roomless: bool
) -> None:
    media = download(tmp_path, clip, container, lost=[4, 5, 8], roomless=roomless)
    before = media.read_bytes()
    head, parts = segments(clip, container)
    held = ledger.read(media.with_suffix(".ledger").read_bytes())
    names = {chunk.index: chunk.identity for chunk in held.chunks}
    file = PlacedFile.open(media, held.opening, head, lambda index: names.get(index, "?"))
    assert not media.exists()
    if not roomless:  # a piece that has come, and one that was broken off
        data = [*parts][8]
        at = len(head) + sum(map(len, [*parts][:8]))
        file.write(at, data)
        file.commit(
            replace(held.chunks[0], index=8, offset=at, length=len(data), digest=xxh3_64_hexdigest(data), sequence=8)
        )
        file.write(len(head) + sum(map(len, [*parts][:4])), b"torn")
    file.close_again(NOON)
    verdict = await verify(media)
    assert (verdict.status, verdict.findings) == ("gaps", ())
    assert [gap.first_sequence for gap in verdict.gaps] == ([4, 5, 8] if roomless else [4, 5])
    assert b"torn" not in media.read_bytes()
    if roomless:
        assert media.read_bytes() == before
    assert media.stat().st_size == len(before)


# -- clip, remux ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_piece_of_it_is_cut_and_is_no_download(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = download(tmp_path, clip, container, lost=[5])
    made = await cut(media, 3.0, 8.0, tmp_path / "piece.mp4")
    assert made.start_s == pytest.approx(3.0, abs=0.1)
    assert made.media_s == pytest.approx(5.0, abs=0.2)
    assert [gap.first_sequence for gap in made.gaps] == [5]
    assert not ledger.read((tmp_path / "piece.ledger").read_bytes()).opening.download
    assert (await verify(made.path)).status == "gaps"


async def test_no_piece_is_cut_of_one_that_is_not_finished(tmp_path: Path, clip: Clip) -> None:
    part = download(tmp_path, clip, lost=[5], close=False)
    with pytest.raises(BadOption, match="not finished"):
        await cut(part, 3.0, 8.0, tmp_path / "piece.mp4")


async def test_its_product_is_told_to_have_the_same_gaps(tmp_path: Path, clip: Clip) -> None:
    media = download(tmp_path, clip, lost=[5])
    made = await convert(media, "mkv")
    assert not made.is_damaged
    verdict = await verify(made.path)
    assert (verdict.status, len(verdict.gaps)) == ("gaps", 1)


def _renamed(line: Line, name: str) -> Line:
    if not isinstance(line, Opening):
        return line
    return Opening(name, "raw", line.started, line.source, 1, line.software, download=True)
