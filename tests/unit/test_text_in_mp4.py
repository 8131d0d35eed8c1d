"""Subtitles in fragments of MP4: WebVTT as boxes, TTML as documents."""

from __future__ import annotations

import pytest
from tests.fmp4_source import Part, Sample, Source, box, fragment, init, segment

from ouzel.base.errors import FormatError
from ouzel.formats import ttml
from ouzel.formats.fmp4.samples import Sample as Shown
from ouzel.formats.fmp4.samples import init_of, samples
from ouzel.formats.webvtt import Cue
from ouzel.formats.wvtt import parse_cues

WVTT = Source(3, "text", 1000, box("wvtt", bytes(6), b"\0\1", box("vttC", b"WEBVTT\n\nSTYLE\n::cue { color: red }")))
NOTHING = box("vtte")


def cue(text: str, settings: str = "") -> bytes:
    return box("vttc", *([box("sttg", settings.encode())] if settings else []), box("payl", text.encode()))


def read(*pieces: bytes, source: Source = WVTT) -> list[Shown]:
    return [*samples(init_of(init([source])), pieces)]


def test_samples_are_where_the_fragment_says() -> None:
    first = fragment([Part(WVTT, 5000, [Sample(1000, b"one"), Sample(500, b"two", cts=250)], runs=2)])
    second = fragment([Part(WVTT, 8000, [Sample(100, b"three")], default_duration=True)], version=0)
    assert read(segment(first, second)) == [
        Shown(5.0, 6.0, b"one"),
        Shown(6.25, 6.75, b"two"),
        Shown(8.0, 8.1, b"three"),
    ]


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(fragment([Part(WVTT, 0, [Sample(1000, b"cut short")])])[:-3], id="cut"),
        pytest.param(fragment([Part(WVTT, None, [Sample(1000, b"when?")])]), id="without a time"),
    ],
)
def test_a_fragment_that_is_broken_is_told(piece: bytes) -> None:
    with pytest.raises(FormatError):
        read(piece)


def test_a_cue_that_goes_on_over_samples_and_segments_is_one() -> None:
    first = [Sample(1000, NOTHING), Sample(1000, cue("a")), Sample(500, cue("a") + cue("b", "align:start"))]
    second = [Sample(500, cue("b", "align:start")), Sample(1000, NOTHING), Sample(1000, cue("a"))]
    pieces = fragment([Part(WVTT, 10_000, first)]), fragment([Part(WVTT, 12_500, second)])
    assert parse_cues(read(*pieces)) == (
        Cue(11.0, 12.5, "a"),
        Cue(12.0, 13.0, "b", "align:start"),
        Cue(14.0, 15.0, "a"),
    )


def test_lines_of_a_cue_are_kept_and_none_is_empty() -> None:
    assert parse_cues([Shown(0, 1, cue("über\n\n<i>two</i>"))]) == (Cue(0, 1, "über\n<i>two</i>"),)


HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xml:lang="en"{rates}>'
)


def document(body: str, rates: str = "") -> bytes:
    return f"{HEAD.format(rates=rates)}<head/><body>{body}</body></tt>".encode()


def test_words_and_lines_of_a_document() -> None:
    body = (
        '<div><p begin="00:00:01.500" end="00:00:03.000">R&amp;D &lt;3\n  and <span>more</span><br/>second</p>'
        '<p begin="4s" dur="500ms"><span begin="0s" end="0.2s">a</span> <span><span begin="0.2s">b</span></span></p>'
        '<p begin="9s" end="10s"> </p></div>'
    )
    assert ttml.parse(document(body), 99) == (
        Cue(1.5, 3.0, "R&amp;D &lt;3 and more\nsecond"),
        Cue(4.0, 4.2, "a"),
        Cue(4.2, 4.5, "b"),
    )


@pytest.mark.parametrize(
    ("rates", "begin", "seconds"),
    [
        ("", "01:02:03", 3723.0),
        ("", "00:00:01:15", 1.5),
        (' ttp:frameRate="25"', "00:00:01:05", 1.2),
        (' ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "24f", 1.001),
        (' ttp:tickRate="10000000"', "15000000t", 1.5),
        ("", "1.5m", 90.0),
        ("", "0.5h", 1800.0),
    ],
)
def test_times_of_a_document(rates: str, begin: str, seconds: float) -> None:
    (found,) = ttml.parse(document(f'<div><p begin="{begin}">x</p></div>', rates), 4000)
    assert found.start_s == pytest.approx(seconds)
    assert found.end_s == 4000


def test_times_count_from_what_is_around() -> None:
    body = '<div begin="10s" end="12s"><p begin="1s" end="5s">x</p></div>'
    assert ttml.parse(document(body), 99) == (Cue(11.0, 12.0, "x"),)


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish",
        b"<html></html>",
        document('<p begin="soon">x</p>'),
        document("<div>" * 100 + "</div>" * 100),
        b'<!DOCTYPE tt [<!ENTITY a "b">]>' + document("<p>&a;</p>"),
    ],
)
def test_what_is_no_document_is_told(data: bytes) -> None:
    with pytest.raises(FormatError):
        ttml.parse(data, 99)


def test_of_a_document_in_a_sample_is_seen_what_is_shown_while_that_is() -> None:
    body = '<p begin="9s" end="11s">over the edge</p><p begin="30s" end="31s">later</p>'
    assert ttml.shown(document(body), 10, 12) == (Cue(10, 11, "over the edge"),)
    assert ttml.shown(document("<p>as long as it is there</p>"), 10, 12) == (Cue(10, 12, "as long as it is there"),)


def test_where_a_document_counts_from_its_sample_it_does() -> None:
    assert ttml.shown(document('<p begin="1s" end="1.5s">x</p>'), 10, 12) == (Cue(11, 11.5, "x"),)
