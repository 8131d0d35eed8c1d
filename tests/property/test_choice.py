"""Which stream is chosen: the rule of `model.choice`, for any set of streams."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import UnknownQuality
from ouzel.model.choice import LEVELS, Taste, choose, rank
from ouzel.model.stream import Level, Stream

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
        label=st.sampled_from(["", "蓝光8M", "高清", "1080p60", "source"]),
    ),
    min_size=1,
    max_size=8,
)
tastes = st.builds(
    Taste,
    quality=st.sampled_from(
        [
            "best",
            "worst",
            "audio",
            "原画",
            "高清",
            "hd",
            "1080p",
            "720p60",
            "480",
            "4k",
            "8K30",
            "2500kbps",
            "8M",
            "1.5Mb/s",
        ]
    ),
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
    assert rank(one) == rank(other)
    liked = {codec: place for place, codec in enumerate(taste.codecs)} | {
        "": 0
    }  # of which nothing is told passes for the first
    assert liked.get(one.codec, len(liked)) == liked.get(other.codec, len(liked)) or not taste.codecs


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
        choose(streams, Taste("8X"))


@given(streams_, tastes, st.sampled_from(["h264", "hevc", "av1"]))
def test_a_refused_codec_is_never_chosen(streams: list[Stream], taste: Taste, refused: str) -> None:
    picky = replace(taste, refused_codecs=(refused,))
    if all(s.codec == refused for s in streams):
        with pytest.raises(UnknownQuality):
            choose(streams, picky)
    else:
        assert choose(streams, picky).codec != refused


@given(streams_, st.integers(100, 5000), st.integers(100, 5000))
def test_who_asks_for_more_lines_gets_no_fewer(streams: list[Stream], one: int, other: int) -> None:
    told = [replace(s, label="", level=None) for s in streams]
    fewer, more = (choose(told, Taste(f"{lines}p")).height or 1 for lines in sorted((one, other)))
    assert fewer <= more


@given(streams_, st.integers(1, 9000), st.integers(1, 9000))
def test_who_asks_for_a_higher_rate_gets_no_lower_one(streams: list[Stream], one: int, other: int) -> None:
    told = [replace(s, label="", level=None, codec="", bitrate_bps=s.bitrate_bps or 500_000) for s in streams]
    lower, higher = (choose(told, Taste(f"{kbps}kbps")).bitrate_bps or 0 for kbps in sorted((one, other)))
    assert lower <= higher
    rates = [s.bitrate_bps or 0 for s in told]
    below = [rate for rate in rates if rate <= min(one, other) * 1000]
    assert lower == (max(below) if below else min(rates))


@given(streams_, st.sampled_from(LEVELS))
def test_a_level_that_is_there_is_what_is_chosen(streams: list[Stream], level: Level) -> None:
    told = [replace(s, label="", codec="") for s in streams]
    if level in {s.level for s in told}:
        assert choose(told, Taste(level)).level == level


WORDS = {  # what a platform offers, what is asked for, and what that is
    "4k": ([("原画", None), ("高清", 720)], "原画"),
    "1080p": ([("原画", None), ("高清", 720)], "原画"),
    "900p": ([("原画", None), ("高清", 720)], "高清"),
    "8M": ([("蓝光20M", None), ("蓝光8M", None), ("蓝光4M", None)], "蓝光8M"),
    "5Mbps": ([("蓝光20M", None), ("蓝光8M", None), ("蓝光4M", None)], "蓝光4M"),
    "2500kbps": ([("原画", None), ("流畅", None)], "原画"),
    "高清": ([("超清", 1080), ("高清", 1080), ("流畅", 480)], "高清"),
    "蓝光": ([("超清", None), ("流畅", None)], "超清"),
    "标清": ([("超清", None), ("高清", None)], "高清"),
}


@pytest.mark.parametrize("word", WORDS)
def test_what_words_mean_where_a_platform_tells_little(word: str) -> None:
    offered, expected = WORDS[word]
    streams = [Stream(f"https://a/{label}", label=label, height=height) for label, height in offered]
    assert choose(streams, Taste(word)).label == expected


def test_a_source_of_the_height_that_is_asked_for_is_that() -> None:
    streams = [
        Stream("https://a/1", label="1080p60 (source)", level="original", height=1080, fps=60.0),
        Stream("https://a/2", label="720p60", height=720, fps=60.0),
    ]
    assert choose(streams, Taste("1080p")).height == 1080
    assert choose(streams, Taste("720p")).height == 720
