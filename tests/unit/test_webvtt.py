"""Subtitles as HLS cuts them up: one clean file of many segments."""

from __future__ import annotations

from ouzel.formats.webvtt import TURN_S, Cue, parse, render

MAP = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"


def test_times_count_from_the_start_of_the_programme_and_a_cue_at_an_edge_comes_once() -> None:
    first = MAP + "1\n00:01.000 --> 00:02.500 align:start\nHello\nthere\n\n00:05.000 --> 00:07.000\nedge"
    second = "\ufeff" + (MAP + "00:05.000 --> 00:07.000\nedge\n\n01:00:00.000 --> 01:00:01.000\nlate\n").replace(
        "\n", "\r\n"
    )
    assert render(parse([first, second], 9.0)) == (
        "WEBVTT\n\n00:00:02.000 --> 00:00:03.500 align:start\nHello\nthere\n\n"
        "00:00:06.000 --> 00:00:08.000\nedge\n\n01:00:01.000 --> 01:00:02.000\nlate\n"
    )


def test_segments_may_each_have_a_clock_of_their_own() -> None:
    other = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:02.000,MPEGTS:1800000\n\n00:02.000 --> 00:03.000\nb\n"
    assert parse([MAP + "00:00.000 --> 00:01.000\na\n", other], 10.0) == (Cue(0, 1, "a"), Cue(10, 11, "b"))


def test_a_clock_that_wraps_goes_on() -> None:
    (cue,) = parse([MAP + "00:00.000 --> 00:01.000\na\n"], TURN_S - 2)
    assert abs(cue.start_s - 12) < 0.001


def test_without_a_map_times_count_from_the_start() -> None:
    assert parse(["WEBVTT\n\n00:01.000 --> 00:02.000\na\n"], 10.0) == (Cue(1, 2, "a"),)
    assert parse(["WEBVTT\n\n00:08.000 --> 00:09.000\na\n"], 10.0, begins_s=6.0) == (Cue(2, 3, "a"),)
    assert parse([MAP + "00:02.000 --> 00:03.000\na\n"], 11.0, begins_s=6.0) == (Cue(1, 2, "a"),)


def test_what_is_over_before_the_start_is_left_out_and_what_is_shown_then_begins_there() -> None:
    segment = MAP + "00:00.000 --> 00:01.000\ngone\n\n00:01.000 --> 00:04.000\nhalf\n\nNOTE 00:05.000\n\nrubbish\n"
    assert render(parse([segment], 12.0)) == "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nhalf\n"


def test_what_is_no_cue_is_left_out() -> None:
    """ffmpeg finds no cue behind a style or a region."""
    style = "STYLE\n::cue { color: red }\n\nREGION\nid:a"
    segment = f"{MAP}{style}\n\n00:00.000 --> 00:01.000\na\n"
    assert render(parse([segment, segment], 10.0)) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n"
