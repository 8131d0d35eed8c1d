"""The rule of `choose`, checked against a slow and simple reading of its docstring."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.formats.m3u8 import MasterPlaylist, Resolution, Variant
from ouzel.model.quality import choose

HEIGHTS = (240, 360, 480, 720, 1080)
RATES = (None, 25.0, 29.97, 50.0, 59.94, 60.0)


@st.composite
def ladders(draw: st.DrawFn) -> MasterPlaylist:
    sizes = draw(
        st.lists(st.tuples(st.sampled_from(HEIGHTS), st.sampled_from(RATES), st.integers(1, 9)), min_size=1, max_size=6)
    )
    variants = [
        Variant(f"v{at}", rate * 1_000_000, resolution=Resolution(height * 16 // 9, height), frame_rate=fps)
        for at, (height, fps, rate) in enumerate(sizes)
    ]
    sound = Variant("sound", 64_000, codecs="mp4a.40.2")
    i_frames = Variant("i", 99_000_000, resolution=Resolution(7680, 4320), i_frames_only=True)
    return MasterPlaylist("", (*variants, sound), (i_frames,))


def height(variant: Variant) -> int:
    return variant.resolution.height if variant.resolution else 0


def fps(variant: Variant) -> int:
    return round(variant.frame_rate or 0)


@settings(max_examples=100, deadline=None)
@given(ladders(), st.integers(10, 4000))
def test_a_height_is_exact_or_the_next_lower_or_the_next_higher(ladder: MasterPlaylist, wanted: int) -> None:
    pictures = ladder.variants[:-1]
    chosen = choose(ladder, f"{wanted}p").variant
    assert chosen is not None
    not_above = [height(each) for each in pictures if height(each) <= wanted]
    assert height(chosen) == (max(not_above) if not_above else min(map(height, pictures)))
    equals = [each for each in pictures if height(each) == height(chosen)]
    assert (fps(chosen), chosen.bandwidth_bps) == max((fps(each), each.bandwidth_bps) for each in equals)


@settings(max_examples=100, deadline=None)
@given(ladders(), st.sampled_from(HEIGHTS), st.integers(10, 120))
def test_a_height_with_a_frame_rate(ladder: MasterPlaylist, wanted: int, rate: int) -> None:
    pictures = ladder.variants[:-1]
    chosen = choose(ladder, f"{wanted}P{rate}").variant
    assert chosen is not None
    sizes = [(height(each), fps(each)) for each in pictures]
    not_above = [size for size in sizes if size <= (wanted, rate)]
    assert (height(chosen), fps(chosen)) == (max(not_above) if not_above else min(sizes))


@settings(max_examples=100, deadline=None)
@given(ladders())
def test_best_and_worst_bound_all_others(ladder: MasterPlaylist) -> None:
    ranks = [(height(each), fps(each), each.bandwidth_bps) for each in ladder.variants[:-1]]
    best, worst = choose(ladder, "best").variant, choose(ladder, "worst").variant
    assert best is not None
    assert worst is not None
    assert (height(best), fps(best), best.bandwidth_bps) == max(ranks)
    assert (height(worst), fps(worst), worst.bandwidth_bps) == min(ranks)


@settings(max_examples=100, deadline=None)
@given(ladders(), st.integers(1, 20_000))
def test_a_rate_is_not_exceeded_where_that_can_be(ladder: MasterPlaylist, wanted_k: int) -> None:
    pictures = ladder.variants[:-1]
    chosen = choose(ladder, f"{wanted_k}kbps").variant
    assert chosen is not None
    below = [each.bandwidth_bps for each in pictures if each.bandwidth_bps <= wanted_k * 1000]
    assert chosen.bandwidth_bps == (max(below) if below else min(each.bandwidth_bps for each in pictures))
