"""Where a connection breaks in the middle of a group: pictures sent ahead are shown before what comes next."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.flv_source import File, Recorder, opening, picture, sound

from ouzel.formats.flv.packets import composition_at, read_packet
from ouzel.formats.flv.tags import VIDEO, render_tag

FRAME_MS = 40


def group(start: int, count: int = 25) -> list[bytes]:
    """Key frame first, then a picture ahead of the two that are shown before it, again and again: I P b b P b b …"""
    tags = [picture(start, key=True, cts=2 * FRAME_MS, body=b"I%d" % start)]
    for n in range(1, count):
        ahead = 4 if n % 3 == 1 else 1
        tags.append(picture(start + n * FRAME_MS, key=False, cts=ahead * FRAME_MS, body=b"P%d.%d" % (start, n)))
    return tags


def shown(file: File) -> list[int]:
    packets = [(tag.stamp, read_packet(tag.kind, tag.body)) for tag in file.tags if tag.kind == VIDEO]
    return [stamp + packet.cts for stamp, packet in packets if packet.role == "frame"]


def test_the_pictures_after_a_break_are_shown_after_those_before_it() -> None:
    recorder = Recorder().feed(opening(audio=None) + b"".join(group(0) + group(1000)[:5]))
    recorder.reconnect(opening(audio=None) + b"".join(group(60_000)))
    times = shown(recorder.cut().check().file)
    before, after = times[:30], times[30:]
    assert max(before) == 1000 + 4 * FRAME_MS + 4 * FRAME_MS, "the last P, whose b-pictures never came"
    assert min(after) > max(before)
    assert all(a < b for a, b in pairwise(sorted(times))), "no two at one time"


def test_no_room_is_made_where_the_stream_simply_goes_on() -> None:
    tags = group(0) + group(1000)
    recorder = Recorder().feed(opening(audio=None) + b"".join(tags[:25]))
    recorder.reconnect(opening(audio=None) + b"".join(tags[25:]))
    assert shown(recorder.cut().check().file) == shown(Recorder().feed(opening(audio=None) + b"".join(tags)).cut().file)


def test_sound_and_picture_stay_together() -> None:
    def with_sound(tags: list[bytes], start: int) -> bytes:
        return b"".join(tag + sound(start + n * FRAME_MS, b"s%d.%d" % (start, n)) for n, tag in enumerate(tags))

    recorder = Recorder().feed(opening() + with_sound(group(0) + group(1000)[:5], 0))
    recorder.reconnect(opening() + with_sound(group(60_000), 60_000))
    file = recorder.cut().check().file
    video, audio = file.stamps(VIDEO)[30:], file.stamps(8)[30:]
    assert [v - a for v, a in zip(video, audio, strict=True)] == [0] * 25


@pytest.mark.parametrize(("cts", "expected"), [(FRAME_MS, FRAME_MS), (-FRAME_MS, -FRAME_MS), (0, 0)])
def test_a_composition_time_may_be_negative(cts: int, expected: int) -> None:
    body = b"\x27\x01" + (cts & 0xFF_FFFF).to_bytes(3, "big") + b"picture"
    recorder = Recorder().feed(
        opening(audio=None) + picture(0, key=True) + b"".join(render_tag(VIDEO, t, body) for t in (40, 80))
    )
    recorder.reconnect(opening(audio=None) + picture(60_000, key=True))
    stamps = recorder.cut().check().file.stamps(VIDEO)
    assert stamps[-1] - stamps[-2] == FRAME_MS + max(0, expected)


def test_where_it_stands() -> None:
    assert (composition_at(7), composition_at(12), composition_at(2)) == (2, 2, 0)
    assert (composition_at(b"hvc1"), composition_at(b"av01")) == (5, 0)
