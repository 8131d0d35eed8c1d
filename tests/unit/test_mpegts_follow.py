"""Ordinary units pass in a loop of their own; what is noted of them is what the careful way notes."""

from __future__ import annotations

import pytest
from tests.mpegts_source import FRAME, Show, shaped

from ouzel.formats.mpegts import TsShaper, scan
from ouzel.formats.mpegts.packets import SIZE


@pytest.mark.parametrize("size", [187, 5000, 1 << 20])
def test_a_unit_that_lacks_its_end_is_seen_among_others(size: int) -> None:
    for lacking in (0, 1, 2):
        show = Show(frames_per_unit=20)
        whole = show.play(60) + show.sounds() + show.sounds()
        take = shaped(TsShaper(), whole[: len(whole) - lacking * SIZE], sizes=[size])
        assert take.spans[0].damage == ("truncated" if lacking else "")


def test_after_a_splice_every_stamp_and_clock_moves_alike() -> None:
    show = Show()
    first = show.play(40)
    show.jump(90_000 * 1000)
    second = show.play(40)
    shaper = TsShaper()
    take = shaped(shaper, first)
    shaper.splice()
    take.feed(shaper, second, [5000])
    take.cut(shaper)
    result = scan([bytes(take.out)])
    assert [pid.steps_back for pid in result.media] == [0, 0]
    assert result.media[0].longest_step_s == pytest.approx(FRAME / 90_000)
    plain = Show()
    assert bytes(take.out) == plain.play(40) + plain.play(40)
