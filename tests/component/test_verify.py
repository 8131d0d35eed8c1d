"""Recordings against their ledgers: every kind of damage has its own code, and what is whole is called clean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.recordings import CONTAINERS, record

from ouzel.base.errors import InputError, NotMedia, ReadOnly
from ouzel.engine import ledgers
from ouzel.engine.convert import convert
from ouzel.engine.judging import judge_packets
from ouzel.engine.verify import verify
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.flow import Chunk
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, Line
from ouzel.model.verdict import FindingCode, Verdict
from ouzel.testing.clips import Clip, run_ffmpeg
from ouzel.testing.disk import tiny_disk

pytestmark = pytest.mark.anyio
C = FindingCode


def codes(verdict: Verdict) -> list[FindingCode]:
    return [finding.code for finding in verdict.findings]


def read_ledger(media: Path) -> Ledger:
    return ledger.read(ledgers.ledger_path(media).read_bytes())


def change(media: Path, edit: Callable[[bytearray], object]) -> None:
    data = bytearray(media.read_bytes())
    edit(data)
    media.write_bytes(data)


def flip(media: Path, place: int) -> None:
    """One bit."""
    change(media, lambda data: data.__setitem__(place, data[place] ^ 1))


def rewrite(media: Path, edit: Callable[[Line], list[Line]]) -> None:
    """Change the lines of a ledger, with good check sums."""
    path = ledgers.ledger_path(media)
    lines = [made for line in ledger.salvage(path.read_bytes()) for made in edit(line)]
    path.write_bytes(b"".join(ledger.render(line) for line in lines))


# -- with a ledger ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_whole_recording_is_clean(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container)
    shares: list[float] = []
    verdict = await verify(media, on_progress=shares.append)
    assert (verdict.status, verdict.findings, verdict.gaps) == ("clean", (), ())
    assert (verdict.bytes, verdict.chunks) == (media.stat().st_size, 12)
    assert verdict.media_s == pytest.approx(12.0, abs=0.05)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("container", CONTAINERS)
async def test_gaps_that_are_told_are_no_damage(tmp_path: Path, clip: Clip, container: Container) -> None:
    verdict = await verify(record(tmp_path, clip, container, lost=[3, 4, 8]))
    assert (verdict.status, verdict.findings) == ("gaps", ())
    assert sum(gap.missing_s for gap in verdict.gaps) == 3.0
    first = verdict.fields()["gaps"][0]
    assert "2026-11-22T11:59:5" < first["start"] <= first["end"] < "2026-11-22T12:00:1"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_one_flipped_bit_is_found_and_placed(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container)
    sixth = read_ledger(media).chunks[6]
    place = sixth.offset + sixth.length // 2

    def flip(data: bytearray) -> None:
        data[place] ^= 1

    change(media, flip)
    verdict = await verify(media)
    assert verdict.status == "damaged"
    (changed,) = [f for f in verdict.findings if f.code is C.BYTES_CHANGED]
    assert (changed.offset, changed.at_s) == (sixth.offset, sixth.start_s)


@pytest.mark.parametrize("container", ["mp4", "flv"])
async def test_a_head_that_was_changed_is_found_in_every_byte(tmp_path: Path, clip: Clip, container: Container) -> None:
    """Without the decoder's configuration, which stands in the head, all chunks may agree and nothing plays."""
    media = record(tmp_path, clip, container)
    held = read_ledger(media)
    assert held.head is not None
    places = [0, held.head.length // 4, held.head.length // 2, held.head.length - 1]
    if container == "mp4":
        places += [held.media_end, media.stat().st_size - 1]
    for place in places:
        flip(media, place)
        verdict = await verify(media)
        assert (verdict.status, C.BYTES_CHANGED in codes(verdict)) == ("damaged", True), place
        flip(media, place)
    assert (await verify(media)).status == "clean"


async def test_older_ledgers_have_no_digest_of_the_head(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip, "mp4")
    rewrite(media, lambda line: [replace(line, digest="")] if isinstance(line, Closing) else [line])
    assert (await verify(media)).status == "clean"


async def test_bytes_that_are_missing_or_too_many(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    whole = media.read_bytes()
    media.write_bytes(whole + b"\0" * 100)
    assert codes(await verify(media)) == [C.BYTES_EXTRA]
    media.write_bytes(whole[:-1000])
    assert codes(await verify(media))[0] is C.BYTES_MISSING
    assert (await verify(media)).status == "damaged"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_zeros_in_the_middle_are_found_to_their_end(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container)
    third, fifth = read_ledger(media).chunks[3], read_ledger(media).chunks[5]

    def blank(data: bytearray) -> None:
        data[third.offset : fifth.offset] = bytes(fifth.offset - third.offset)

    change(media, blank)
    verdict = await verify(media)
    assert [f.offset for f in verdict.findings if f.code is C.BYTES_CHANGED][:2] == [
        third.offset,
        read_ledger(media).chunks[4].offset,
    ]
    assert sum(f.code is C.BYTES_CHANGED for f in verdict.findings) == 2
    assert verdict.status == "damaged"


async def test_a_running_recording_is_checked_up_to_its_last_whole_chunk(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip, close=False)
    with ledgers.locked(ledgers.ledger_path(media)), media.open("ab") as file:
        file.write(b"\x47" * 500)
        verdict = await verify(media)
    assert (verdict.status, codes(verdict), verdict.chunks) == ("clean", [C.RUNNING], 12)
    assert codes(await verify(media)) == [C.NOT_CLOSED]


async def test_a_torn_ledger_is_no_secret(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    change(ledgers.ledger_path(media), lambda data: data.__delitem__(slice(-40, None)))
    assert set(codes(await verify(media))) == {C.LEDGER_TORN, C.NOT_CLOSED}


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_ledger_that_is_damaged_in_its_middle_is_read_to_its_end(
    tmp_path: Path, clip: Clip, container: Container
) -> None:
    """Nothing but that damage is told: the file is what it was, and was closed."""
    media = record(tmp_path, clip, container, lost=[4, 9])
    gaps = len(read_ledger(media).gaps)
    for number in (2, 3, 8, -2):
        data = ledgers.ledger_path(media).read_bytes()
        damage_line(media, number)
        verdict = await verify(media)
        assert (codes(verdict), verdict.status) == ([C.LEDGER_TORN], "damaged")
        assert len(verdict.gaps) >= gaps - 1
        ledgers.ledger_path(media).write_bytes(data)


@pytest.mark.parametrize("number", [1, 4, -1])
async def test_nor_does_a_product_of_it_pass_for_clean(tmp_path: Path, clip: Clip, number: int) -> None:
    """Also when the line that is damaged is its own."""
    media = record(tmp_path, clip, lost=[4])
    made = await convert(media, "mp4", keep_original=False)
    damage_line(media, number)
    verdict = await verify(made.path)
    assert C.LEDGER_TORN in codes(verdict)
    if number != -1:
        assert len(verdict.gaps) == 1


def damage_line(media: Path, number: int) -> None:
    """One bit in the middle of a line of its ledger."""
    path = ledgers.ledger_path(media)
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = bytearray(lines[number])
    damaged[20] ^= 1
    lines[number] = bytes(damaged)
    path.write_bytes(b"".join(lines))


async def test_numbers_that_are_missing_without_a_gap(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    rewrite(
        media,
        lambda line: (
            [replace(line, sequence=line.sequence + 5)] if isinstance(line, Chunk) and line.index > 6 else [line]
        ),
    )
    verdict = await verify(media)
    assert (verdict.status, codes(verdict)) == ("gaps", [C.SEQUENCE_HOLE])
    assert verdict.findings[0].detail == "6 is followed by 12"


async def test_a_clock_that_comes_to_its_end_and_begins_anew_is_no_damage(tmp_path: Path, clip: Clip) -> None:
    """As it does in a transport stream each 26.5 hours."""
    path = tmp_path / "show.ts"
    run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(".mp4")), "-c", "copy", "-output_ts_offset", "95438", str(path)])
    verdict = await verify(path)
    assert verdict.status == "clean", verdict.findings
    assert verdict.media_s == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize("name", ["show.TS", "show.mpg"])
async def test_a_file_whose_ending_was_changed_has_its_ledger_still(tmp_path: Path, clip: Clip, name: str) -> None:
    media = record(tmp_path, clip, lost=[5])
    verdict = await verify(media.rename(tmp_path / name))
    assert (verdict.status, len(verdict.gaps)) == ("gaps", 1)


async def test_without_a_place_for_a_ledger_the_verdict_is_given_all_the_same(tmp_path: Path, clip: Clip) -> None:
    with tiny_disk(tmp_path / "disk") as folder:
        path = folder / "show.ts"
        path.write_bytes(clip.file(".ts").read_bytes())
        await anyio.run_process(["mount", "-o", "remount,ro", str(folder)])
        verdict = await verify(path)
    assert verdict.status == "clean"
    assert C.LEDGER_NOT_SAVED in codes(verdict)


async def test_numbers_that_begin_anew_are_no_hole(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    rewrite(
        media,
        lambda line: (
            [replace(line, sequence=line.sequence - 7)] if isinstance(line, Chunk) and line.index > 6 else [line]
        ),
    )
    assert (await verify(media)).status == "clean"


async def test_an_flv_of_nothing_but_its_header_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "show.flv"
    path.write_bytes(b"FLV\x01\x05\0\0\0\x09\0\0\0\0")
    assert (await verify(path)).status == "damaged"


async def test_a_ledger_that_contradicts_itself(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    original = ledgers.ledger_path(media).read_bytes()

    async def with_lines(edit: Callable[[Line], list[Line]]) -> Verdict:
        ledgers.ledger_path(media).write_bytes(original)
        rewrite(media, edit)
        return await verify(media)

    shifted = await with_lines(
        lambda line: [replace(line, start_s=9.0)] if isinstance(line, Chunk) and line.index == 5 else [line]
    )
    assert codes(shifted) == [C.LEDGER_WRONG]
    dropped = await with_lines(lambda line: [] if isinstance(line, Chunk) and line.index == 5 else [line])
    assert C.LEDGER_WRONG in codes(dropped)
    short = await with_lines(lambda line: [replace(line, size=line.size - 1)] if isinstance(line, Closing) else [line])
    assert codes(short) == [C.LEDGER_WRONG]
    overlapping = await with_lines(
        lambda line: (
            [replace(line, offset=line.offset - 188)] if isinstance(line, Chunk) and line.index == 5 else [line]
        )
    )
    assert C.LEDGER_WRONG in codes(overlapping)
    longer = await with_lines(
        lambda line: (
            [replace(line, end_s=line.end_s + 3.0)]
            if isinstance(line, Chunk) and line.index == 11
            else [replace(line, duration_s=line.duration_s + 3.0)]
            if isinstance(line, Closing)
            else [line]
        )
    )
    assert codes(longer) == [C.DURATION]


async def test_damage_that_the_recorder_has_noted_is_known(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    rewrite(
        media,
        lambda line: [replace(line, damage="continuity")] if isinstance(line, Chunk) and line.index == 2 else [line],
    )
    verdict = await verify(media)
    assert (verdict.status, codes(verdict)) == ("gaps", [C.NOTED_DAMAGE])


async def test_a_recording_may_be_renamed_with_its_ledger(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    renamed = media.rename(tmp_path / "evening.ts")
    media.with_suffix(".ledger").rename(tmp_path / "evening.ledger")
    assert (await verify(renamed)).status == "clean"


# -- products -----------------------------------------------------------------------------------------------------------------


async def test_a_product_is_known_by_its_digest(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip, lost=[11])
    made = await convert(media, "mp4", keep_original=False)
    verdict = await verify(made.path)
    assert (verdict.status, codes(verdict), len(verdict.gaps)) == ("gaps", [], 1)
    change(made.path, lambda data: data.__setitem__(len(data) // 2, data[len(data) // 2] ^ 1))
    assert codes(await verify(made.path)) == [C.PRODUCT_CHANGED]
    change(made.path, lambda data: data.__delitem__(slice(100, None)))
    assert C.PRODUCT_CHANGED in codes(await verify(made.path))


# -- without a ledger ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_ledger_is_made_from_the_media_and_then_used(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container, lost=[5])
    ledgers.ledger_path(media).unlink()
    first = await verify(media)
    assert (first.status, codes(first)) == ("clean", [C.REBUILT])
    held = read_ledger(media)
    assert held.opening.rebuilt
    assert held.closing is not None
    assert [c.independent for c in held.chunks].count(False) == 0
    second = await verify(media)
    assert (second.status, codes(second), second.chunks) == ("clean", [], first.chunks)


@pytest.mark.parametrize("ending", [".ts", ".flv"])
async def test_so_it_is_for_files_that_others_made(tmp_path: Path, clip: Clip, ending: str) -> None:
    media = tmp_path / f"other{ending}"
    media.write_bytes(clip.file(ending).read_bytes())
    assert codes(await verify(media)) == [C.REBUILT]
    assert (await verify(media)).status == "clean"
    assert sum(c.frames for c in read_ledger(media).chunks) == clip.frames


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("cut", [40, 1000, 20_000])
async def test_a_file_that_was_cut_off_is_damaged_however_often_it_is_asked(
    tmp_path: Path, clip: Clip, container: Container, cut: int
) -> None:
    """The ledger that is made of it does not make good what it does not know."""
    media = record(tmp_path, clip, container)
    ledgers.ledger_path(media).unlink()
    change(media, lambda data: data.__delitem__(slice(-cut, None)))
    for _ in range(3):
        verdict = await verify(media)
        assert (verdict.status, C.NOTED_DAMAGE in codes(verdict)) == ("damaged", False)
        assert C.BYTES_EXTRA in codes(verdict)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("added", [b"\0" * 1000, b"<html>" * 100, b"\0\0\0\x10free"])
async def test_so_is_one_to_which_something_was_added(
    tmp_path: Path, clip: Clip, container: Container, added: bytes
) -> None:
    media = record(tmp_path, clip, container)
    ledgers.ledger_path(media).unlink()
    change(media, lambda data: data.extend(added))
    for _ in range(2):
        assert (await verify(media)).status == "damaged"


async def test_what_a_container_ends_with_is_none_of_that(tmp_path: Path, clip: Clip) -> None:
    flv, mp4 = tmp_path / "other.flv", record(tmp_path, clip, "mp4", name="other")
    flv.write_bytes(clip.file(".flv").read_bytes() + b"\x12\0\0\5\0\0\0\0\0\0\0hello\0\0\0\x10")
    ledgers.ledger_path(mp4).unlink()
    change(mp4, lambda data: data.extend(b"\0\0\0\x0cfree1234"))
    for media in (mp4, flv):
        for _ in range(2):
            assert (await verify(media)).status == "clean"
        closing = read_ledger(media).closing
        assert closing is not None
        assert (closing.size, closing.tail > 15) == (media.stat().st_size, True)
        ledgers.ledger_path(media).unlink()


async def test_where_it_cannot_be_written_it_is_said(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = record(tmp_path, clip)
    ledgers.ledger_path(media).unlink()

    def refuse(path: Path, _data: bytes) -> None:
        raise ReadOnly(f"{path} cannot be written")

    monkeypatch.setattr(ledgers, "create", refuse)
    verdict = await verify(media)
    assert (verdict.status, codes(verdict), verdict.ledger) == ("clean", [C.REBUILT, C.LEDGER_NOT_SAVED], None)


async def test_an_unreadable_ledger_is_left_alone(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    ledgers.ledger_path(media).write_text("2026-11-22 * groceries")
    verdict = await verify(media)
    assert codes(verdict) == [C.REBUILT, C.LEDGER_NOT_SAVED]
    assert ledgers.ledger_path(media).read_text() == "2026-11-22 * groceries"


async def test_missing_packets_are_found_without_a_ledger(tmp_path: Path, clip: Clip) -> None:
    data = clip.file(".ts").read_bytes()
    middle = len(data) // 2 // 188 * 188
    media = tmp_path / "holes.ts"
    media.write_bytes(data[:middle] + data[middle + 188 * 3 :])
    verdict = await verify(media)
    assert verdict.status == "damaged"
    assert C.CONTINUITY in codes(verdict)
    again = await verify(media)
    assert (again.status, set(codes(again))) == ("damaged", {C.CONTINUITY})


async def test_the_second_reader_of_transport_streams_counts_by_itself(tmp_path: Path, clip: Clip) -> None:
    data = clip.file(".ts").read_bytes()
    middle = len(data) // 2 // 188 * 188
    media = tmp_path / "holes.ts"
    media.write_bytes(data[:middle] + data[middle + 188 * 3 :] + b"tail" + data)
    seen: list[int] = []
    found = list(judge_packets(media, media.stat().st_size, seen.append))
    assert {f.code for f in found} == {C.CONTINUITY, C.STAMPS, C.GARBAGE}
    assert sum(seen) == media.stat().st_size
    media.write_bytes(data + b"behind the end")
    assert list(judge_packets(media, len(data), seen.append)) == []


async def test_garbage_between_tags_is_found_without_a_ledger(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip, "flv")
    fifth = read_ledger(media).chunks[5]
    ledgers.ledger_path(media).unlink()
    change(media, lambda data: data.__setitem__(slice(fifth.offset, fifth.offset), b"\xaa" * 999))
    verdict = await verify(media)
    assert verdict.status == "damaged"
    assert C.GARBAGE in codes(verdict)


async def test_a_jump_of_the_time_stamps_is_found_without_a_ledger(tmp_path: Path, clip: Clip) -> None:
    media = tmp_path / "twice.ts"
    media.write_bytes(clip.file(".ts").read_bytes() * 2)
    assert C.STAMPS in codes(await verify(media))


async def test_containers_without_ledgers_are_read_through(tmp_path: Path, clip: Clip) -> None:
    for ending in (".mkv", ".mp4"):
        media = tmp_path / f"film{ending}"
        media.write_bytes(clip.file(ending).read_bytes())
        verdict = await verify(media)
        assert (verdict.status, codes(verdict), verdict.ledger) == ("clean", [C.NO_LEDGER], None)
        assert verdict.media_s == pytest.approx(12.0, abs=0.1)
        assert not ledgers.ledger_path(media).exists()


async def test_what_is_not_media_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.ts"
    page.write_text("<html>" * 1000)
    with pytest.raises(NotMedia):
        await verify(page)
    with pytest.raises(InputError, match="does not exist"):
        await verify(tmp_path / "none.ts")


async def test_it_can_be_cancelled(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    with anyio.CancelScope() as scope:
        await verify(media, on_progress=lambda _: scope.cancel())
    assert scope.cancelled_caught


@pytest.mark.parametrize("left", [0, 5, 40])
async def test_a_ledger_that_is_cut_off_in_its_first_line_is_damage(tmp_path: Path, clip: Clip, left: int) -> None:
    media = record(tmp_path, clip)
    path = ledgers.ledger_path(media)
    path.write_bytes(path.read_bytes()[:left])
    verdict = await verify(media)
    assert codes(verdict) == [C.LEDGER_TORN, C.REBUILT, C.LEDGER_NOT_SAVED]
    assert verdict.status == "damaged"
    assert path.stat().st_size == left
