"""Which stream is chosen: the rule of `model.choice`, for any set of streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import UnknownQuality
from ouzel.model.choice import LEVELS, Taste, choose, rank
from ouzel.model.stream import Stream

streams_ = st.lists(
    st.builds(
        Stream,
        url=st.uuids().map(lambda u: f"https://cdn.example/{u}"),
        protocol=st.sampled_from(["flv", "hls", None]),
        height=st.sampled_from([None, 360, 480, 720, 1080, 2160]),
        fps=st.sampled_from([None, 30.0, 60.0]),
        level=st.sampled_from([None, *LEVELS]),
        bitrate_bps=st.sampled_from([None, 1_000_000, 4_000_000]),
        codec=st.sampled_from(["", "h264", "hevc", "av1"]),
        cdn=st.sampled_from(["", "a", "b"]),
    ),
    min_size=1,
    max_size=8,
)
tastes = st.builds(
    Taste,
    quality=st.sampled_from(["best", "worst", "audio", "原画", "高清", "hd", "1080p", "720p60", "480"]),
    codecs=st.sampled_from([(), ("h264",), ("hevc", "h264"), ("av1",)]),
    cdn=st.sampled_from(["", "b"]),
)


@given(streams_, tastes)
def test_one_of_them_is_chosen_whatever_is_asked_for(streams: list[Stream], taste: Taste) -> None:
    assert choose(streams, taste) in streams


@given(streams_, tastes, st.randoms(use_true_random=False))
def test_the_quality_does_not_depend_on_their_order(streams: list[Stream], taste: Taste, random: object) -> None:
    mixed = [*streams]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = choose(streams, taste), choose(mixed, taste)
    assert (rank(one), one.codec or taste.codecs[:1]) == (rank(other), other.codec or taste.codecs[:1])


@given(streams_)
def test_best_and_worst_are_the_ends(streams: list[Stream]) -> None:
    alike = [Stream(s.url, height=s.height, fps=s.fps, level=s.level, bitrate_bps=s.bitrate_bps) for s in streams]
    pictures = [rank(s) for s in alike if rank(s)[0] > 0] or [rank(s) for s in alike]
    assert rank(choose(alike, Taste("best"))) == max(pictures)
    assert rank(choose(alike, Taste("worst"))) == min(pictures)


@given(streams_, st.sampled_from([360, 480, 720, 1080]))
def test_the_next_lower_is_taken_and_the_next_higher_where_nothing_is_lower(streams: list[Stream], height: int) -> None:
    alike = [Stream(s.url, height=s.height or 144) for s in streams]
    chosen = choose(alike, Taste(f"{height}p")).height or 0
    heights = [s.height or 0 for s in alike]
    below = [h for h in heights if h <= height]
    assert chosen == (max(below) if below else min(heights))


@given(streams_, tastes)
def test_what_failed_comes_last(streams: list[Stream], taste: Taste) -> None:
    first = choose(streams, taste)
    others = [s for s in streams if s != first]
    assert choose(streams, taste, failed={first}) in (others or streams)


def test_what_is_refused_is_not_chosen() -> None:
    streams = [Stream("https://a/1", codec="hevc", height=2160), Stream("https://a/2", codec="h264", height=720)]
    assert choose(streams, Taste(refused_codecs=("hevc",))).codec == "h264"
    with pytest.raises(UnknownQuality, match="refused"):
        choose(streams[:1], Taste(refused_codecs=("hevc",)))


def test_a_platforms_own_name_is_a_quality() -> None:
    streams = [Stream("https://a/1", label="蓝光4M", height=1080), Stream("https://a/2", label="流畅", height=480)]
    assert choose(streams, Taste("蓝光4m")).label == "蓝光4M"
    assert choose(streams, Taste("流畅")).label == "流畅"
    with pytest.raises(UnknownQuality, match="蓝光4M, 流畅"):
        choose(streams, Taste("8M"))
