"""The scan of a whole stream, which `ouzel verify` shows."""

from __future__ import annotations

import pytest
from tests.mpegts_source import AUDIO, PMT, VIDEO, Show, noise

from ouzel.formats.mpegts import scan
from ouzel.formats.mpegts.packets import NULL_PACKET, SIZE, WRAP, pid_of, render_pat, starts_unit


@pytest.mark.parametrize("size", [1, 187, 1000, 1 << 20])
def test_a_whole_stream(size: int) -> None:
    data = Show().play(50) + NULL_PACKET
    result = scan(data[at : at + size] for at in range(0, len(data), size))
    assert (result.packets, result.garbage_bytes, result.bad_sections) == (len(data) // SIZE, 0, 0)
    assert (result.program, result.continuity_errors) == (1, 0)
    video, audio = result.media
    assert (video.pid, video.kind, video.codec, video.units) == (VIDEO, "video", "h264", 50)
    assert (video.first_pts_s, video.step_s, video.duration_s) == pytest.approx((1.48, 0.04, 2.0))
    assert (audio.pid, audio.kind, audio.codec) == (AUDIO, "audio", "aac")
    assert result.duration_s == pytest.approx(2.08, abs=0.1)


def test_time_goes_on_over_a_wrap() -> None:
    result = scan([Show(dts=WRAP - 90_000, sound=WRAP - 90_000).play(50)])
    assert [pid.steps_back for pid in result.media] == [0, 0]
    assert result.media[0].duration_s == pytest.approx(2.0)


def test_errors_are_counted_by_pid() -> None:
    data = bytearray(Show().play(50))
    lost = [at for at in range(0, len(data), SIZE) if pid_of(data, at) == VIDEO and not starts_unit(data, at)]
    for at in reversed(lost[10:40:10]):
        del data[at : at + SIZE]
    data[SIZE * 40 + 1] |= 0x80
    assert scan([bytes(data)]).pids[VIDEO].continuity_errors >= 3
    assert sum(pid.transport_errors for pid in scan([bytes(data)]).pids.values()) == 1


def test_steps_back_and_long_steps() -> None:
    show = Show()
    data = show.play(20)
    show.jump(-18_000)
    data += show.play(20)
    show.jump(90_000 * 3)
    data += show.play(20)
    video = scan([data]).media[0]
    assert video.steps_back == 1
    assert video.longest_step_s == pytest.approx(3.04)


def test_garbage_is_counted_and_what_is_no_stream_is_all_garbage() -> None:
    data = Show().play(10)
    result = scan([data[: 20 * SIZE] + noise(1, 333) + data[20 * SIZE :] + b"\x47\0"])
    assert result.garbage_bytes == 335
    assert result.media[0].units == 10
    empty = scan([noise(1, 5000)])
    assert (empty.packets, empty.garbage_bytes, empty.program, empty.duration_s) == (0, 5000, None, 0.0)
    assert scan([]).packets == 0


def test_a_broken_table_is_counted() -> None:
    broken = bytearray(render_pat([(1, PMT)]))
    broken[15] ^= 1
    assert scan([bytes(broken) + Show().play(3)]).bad_sections == 1
