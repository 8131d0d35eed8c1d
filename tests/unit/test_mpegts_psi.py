"""PAT and PMT: which programme is followed, and what its streams are."""

from __future__ import annotations

import pytest

from ouzel.base.errors import Encrypted, FormatError
from ouzel.formats.mpegts.packets import SIZE, render_pat, render_pmt, render_section, render_section_packets
from ouzel.formats.mpegts.psi import Tables, name_stream, opus_channels, parse_pat, parse_pmt

H264, AAC = (0x1B, 0x100, b""), (0x0F, 0x101, b"")


def look(tables: Tables, packets: bytes) -> list[bool]:
    return [tables.look(packets, at) for at in range(0, len(packets), SIZE)]


@pytest.mark.parametrize(
    ("kind", "descriptors", "expected"),
    [
        (0x1B, b"", ("video", "h264")),
        (0x24, b"", ("video", "hevc")),
        (0x02, b"", ("video", "mpeg2video")),
        (0x33, b"", ("video", "vvc")),
        (0x06, b"\x05\x04AV01", ("video", "av1")),
        (0x06, b"\x05\x04VVC ", ("video", "vvc")),
        (0x0F, b"", ("audio", "aac")),
        (0x11, b"", ("audio", "aac_latm")),
        (0x03, b"", ("audio", "mp3")),
        (0x04, b"", ("audio", "mp3")),
        (0x81, b"", ("audio", "ac3")),
        (0x06, b"\x6a\x01\x00", ("audio", "ac3")),
        (0x06, b"\x05\x04EAC3", ("audio", "eac3")),
        (0x87, b"", ("audio", "eac3")),
        (0x06, b"\x05\x04Opus\x7f\x02\x80\x02", ("audio", "opus")),
        (0x06, b"\x7f\x02\x80\x01", ("audio", "opus")),
        (0x86, b"", ("other", "scte35")),
        (0x15, b"", ("other", "id3")),
        (0x06, b"\x56\x00", ("other", "teletext")),
        (0x06, b"\x59\x00", ("other", "dvb_subtitle")),
        (0x06, b"", ("other", "data")),
        (0x06, b"\x05\xffcut", ("other", "data")),
        (0x99, b"", ("other", "0x99")),
    ],
)
def test_stream_types(kind: int, descriptors: bytes, expected: tuple[str, str]) -> None:
    assert name_stream(kind, descriptors) == expected


@pytest.mark.parametrize("kind", [0xC1, 0xCF, 0xDB])
def test_sample_aes_is_unsupported(kind: int) -> None:
    with pytest.raises(Encrypted, match="SAMPLE-AES"):
        name_stream(kind, b"")


def test_opus_channels_come_from_the_descriptor() -> None:
    assert opus_channels(b"\x05\x04Opus\x7f\x02\x80\x06") == 6
    assert opus_channels(b"\x05\x04Opus") is None


@pytest.mark.parametrize("section", [b"", b"\0" * 11, b"\x42" + b"\0" * 20])
def test_what_is_no_section_is_refused(section: bytes) -> None:
    with pytest.raises(FormatError):
        parse_pat(section)
    with pytest.raises(FormatError):
        parse_pmt(section, 5)


def test_a_programme_is_known_when_its_map_has_come() -> None:
    tables = Tables()
    assert look(tables, render_pat([(0, 0x10), (7, 0x1000)])) == [False]
    assert tables.program is None
    assert look(tables, render_pmt(0x1000, [H264, AAC], pcr_pid=0x100, program=7)) == [True]
    assert tables.program is not None
    assert (tables.program.number, tables.program.pcr_pid, [s.codec for s in tables.program.streams]) == (
        7,
        0x100,
        ["h264", "aac"],
    )
    assert look(tables, render_pmt(0x1000, [H264, AAC], pcr_pid=0x100, program=7, counter=1)) == [False]


def test_the_first_programme_with_a_picture_is_chosen_whatever_comes_first() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000), (2, 0x1001), (3, 0x1002)]))
    assert look(tables, render_pmt(0x1002, [(0x1B, 0x300, b"")], pcr_pid=0x300, program=3)) == [False]
    assert look(tables, render_pmt(0x1000, [(0x0F, 0x100, b"")], pcr_pid=0x100, program=1)) == [False]
    assert look(tables, render_pmt(0x1001, [(0x1B, 0x200, b"")], pcr_pid=0x200, program=2)) == [True]
    assert tables.program is not None
    assert tables.program.number == 2


def test_without_any_picture_the_first_programme_is_taken() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000), (2, 0x1001)]))
    look(tables, render_pmt(0x1001, [(0x0F, 0x200, b"")], pcr_pid=0x200, program=2))
    assert tables.program is None
    assert tables.settle()
    assert tables.program is not None
    assert tables.program.number == 2
    tables = Tables()
    look(tables, render_pat([(1, 0x1000), (2, 0x1001)]))
    look(tables, render_pmt(0x1001, [(0x0F, 0x200, b"")], pcr_pid=0x200, program=2))
    look(tables, render_pmt(0x1000, [(0x0F, 0x100, b"")], pcr_pid=0x100, program=1))
    assert tables.program is not None
    assert tables.program.number == 1


def test_a_wrong_checksum_is_counted_and_ignored() -> None:
    tables = Tables()
    broken = bytearray(render_pat([(1, 0x1000)]))
    broken[17] ^= 1
    look(tables, bytes(broken))
    look(tables, render_pmt(0x1000, [H264], pcr_pid=0x100)[:0])
    assert tables.bad_sections == 1
    assert 0x1000 not in tables.pids
    look(tables, render_pat([(1, 0x1000)]))
    assert 0x1000 in tables.pids


def test_a_section_for_later_is_not_in_force() -> None:
    tables = Tables()
    packet = bytearray(render_pat([(1, 0x1000)]))
    section = packet[5 : 5 + 12]
    section[5] &= 0xFE
    from ouzel.formats.mpegts.packets import crc32_mpeg

    packet[5:21] = section + crc32_mpeg(section).to_bytes(4, "big")
    look(tables, bytes(packet))
    assert tables.bad_sections == 0
    assert list(tables.pids) == [0]


def test_a_map_over_several_packets() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000)]))
    packets = render_pmt(0x1000, [(0x1B, 0x100 + n, b"\x05\x04test") for n in range(60)], pcr_pid=0x100)
    seen: list[tuple[bool, bool]] = []
    for at in range(0, len(packets), SIZE):
        changed = tables.look(packets, at)
        seen.append((changed, 0x1000 in tables.waiting))
    assert seen == [(False, True)] * 3 + [(True, False)]
    assert tables.program is not None
    assert len(tables.program.streams) == 60


def test_a_pat_of_several_sections() -> None:
    def part(number: int, last: int, body: bytes) -> bytes:
        section = bytearray(render_section(0x00, 1, 3, body))
        section[6:8] = bytes((number, last))
        from ouzel.formats.mpegts.packets import crc32_mpeg

        section[-4:] = crc32_mpeg(section[:-4]).to_bytes(4, "big")
        return render_section_packets(0, bytes(section))

    tables = Tables()
    look(tables, part(1, 1, b"\0\2\xe2\0"))
    assert list(tables.pids) == [0]
    look(tables, part(0, 1, b"\0\1\xe1\0"))
    assert list(tables.pids) == [0, 0x100, 0x200]


def test_several_maps_on_one_pid() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000), (2, 0x1000)]))
    look(tables, render_pmt(0x1000, [(0x0F, 0x100, b"")], pcr_pid=0x100, program=1))
    assert look(tables, render_pmt(0x1000, [(0x1B, 0x200, b"")], pcr_pid=0x200, program=2)) == [True]
    assert look(tables, render_pmt(0x1000, [(0x0F, 0x100, b"")], pcr_pid=0x100, program=1)) == [False]
    assert tables.program is not None
    assert tables.program.number == 2


def test_only_other_picture_and_sound_is_a_change() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000)]))
    look(tables, render_pmt(0x1000, [H264, AAC], pcr_pid=0x100))
    assert look(tables, render_pmt(0x1000, [H264, AAC, (0x86, 0x1FE, b"")], pcr_pid=0x100, version=1)) == [False]
    assert look(tables, render_pmt(0x1000, [H264, (0x0F, 0x102, b"")], pcr_pid=0x100, version=2)) == [True]
    assert look(tables, render_pmt(0x1000, [(0x24, 0x100, b""), (0x0F, 0x102, b"")], pcr_pid=0x100)) == [True]


def test_a_programme_that_moves_to_another_map() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000)]))
    look(tables, render_pmt(0x1000, [H264], pcr_pid=0x100))
    assert look(tables, render_pat([(2, 0x1001)])) == [False]  # the old one stands until the new one is known
    assert tables.program is not None
    assert tables.program.number == 1
    assert look(tables, render_pmt(0x1001, [H264], pcr_pid=0x100, program=2)) == [True]
    assert look(tables, render_pat([(1, 0x1000)])) == [False]
    assert look(tables, render_pmt(0x1000, [H264], pcr_pid=0x100)) == [True]


def test_state_is_saved_and_restored() -> None:
    tables = Tables()
    look(tables, render_pat([(1, 0x1000)]))
    packets = render_pmt(0x1000, [(0x1B, 0x100 + n, b"\x05\x04test") for n in range(30)], pcr_pid=0x100)
    tables.look(packets, 0)
    state = tables.save()
    look(tables, packets[SIZE:])
    assert tables.program is not None
    tables.restore(state)
    assert tables.program is None
    assert tables.waiting == {0x1000}
    look(tables, packets[SIZE:])
    assert tables.program is not None


def test_rendered_tables_continue_the_counters() -> None:
    tables = Tables()
    look(tables, render_pat([(5, 0x123)]))
    look(tables, render_pmt(0x123, [H264, AAC], pcr_pid=0x100, program=5))
    packets = tables.render({0: 3, 0x123: 0})
    assert packets == render_pat([(5, 0x123)], counter=3) + render_pmt(
        0x123, [H264, AAC], pcr_pid=0x100, program=5, counter=0
    )
