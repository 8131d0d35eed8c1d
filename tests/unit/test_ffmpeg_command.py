"""The command line of the child: what stands in the process table, and what does not."""

from __future__ import annotations

import pytest

from ouzel.base.errors import BadOption, BadUrl
from ouzel.engine.sources.ffmpeg.command import Start, arguments, check_proxy, environment, needs, script
from ouzel.engine.sources.ffmpeg.picking import Picked
from ouzel.model.stream import Stream
from ouzel.system.ffmpeg import Ffmpeg

PROGRAM = Ffmpeg("/usr/bin/ffmpeg", "9.0", (63, 1))
SECRETS = {
    "rtsp": "rtsp://guard:s3cret@camera/1",
    "rtsps": "rtsps://guard:s3cret@camera/1",
    "rtmp": "rtmp://host/live/s3cret",
    "rtmps": "rtmps://host/live/s3cret",
    "srt": "srt://host:9000?passphrase=s3cretphrase",
}


def both(address: str, start: Start | None = None, program: Ffmpeg = PROGRAM) -> tuple[list[str], str]:
    stream, start = Stream(address), start or Start()
    return arguments(program, stream, address, start), script(program, stream, address, start).decode()


@pytest.mark.parametrize("address", SECRETS.values(), ids=SECRETS)
def test_an_address_with_a_secret_is_no_argument(address: str) -> None:
    args, told = both(address)
    assert not any("s3cret" in arg for arg in args)
    assert args[args.index("-i") + 1] == "pipe:0"
    assert f"file '{address}'" in told.splitlines()
    allowed = args[args.index("-protocol_whitelist") + 1].split(",")
    assert set(allowed) >= {"pipe", address.partition(":")[0]}
    assert not {"file", "http", "concat", "crypto", "data"} & set(allowed)
    (inner,) = [line for line in told.splitlines() if "protocol_whitelist" in line]
    assert "pipe" not in inner, "what it reads must not lead back to our own words"


@pytest.mark.parametrize("address", ["http://host/film.mkv", "udp://239.0.0.1:1234"])
def test_any_other_address_is_an_argument(address: str) -> None:
    args, told = both(address)
    assert told == ""
    assert args[args.index("-i") + 1] == address


def test_a_quote_in_an_address_does_not_end_it() -> None:
    _, told = both("rtsp://h/it's")
    assert r"file 'rtsp://h/it'\''s'" in told.splitlines()


@pytest.mark.parametrize("address", ["rtsp://h/a\nfile /etc/passwd", "rtsp://h/\x00", "rtmp://h/" + "x" * 5000])
def test_an_address_that_no_script_can_hold_is_refused(address: str) -> None:
    with pytest.raises(BadUrl):
        both(address)


def test_older_programs_call_the_time_limit_of_rtsp_otherwise() -> None:
    assert "option timeout '7500000'" in both("rtsp://h/1")[1].splitlines()
    assert "option stimeout '7500000'" in both("rtsp://h/1", program=Ffmpeg("f", "4.4", (58, 76)))[1].splitlines()


def test_what_was_picked_is_mapped_and_only_sound_is_encoded() -> None:
    args, _ = both("rtsp://h/1", Start(Picked(0, 2, audio_bps=64_000)))
    assert [args[at + 1] for at, arg in enumerate(args) if arg == "-map"] == ["0:0", "0:2"]
    assert (args[args.index("-c:v") + 1], args[args.index("-c:a") + 1]) == ("copy", "aac")


def test_a_file_is_read_on_behind_what_is_on_the_tape() -> None:
    args, _ = both("http://h/film.mkv", Start(resume_s=12.5))
    assert args[args.index("-ss") + 1] == args[args.index("-output_ts_offset") + 1] == "12.500"


def test_a_live_dash_show_is_read_no_faster_than_it_plays_and_never_backwards() -> None:
    paced, _ = both("http://h/show.mpd", Start(paced=True))
    free, _ = both("http://h/show.mpd")
    assert paced.index("-re") < paced.index("-i")
    assert "-bsf:v" in paced
    assert not {"-re", "-bsf:v", "-bsf:a"} & set(free)


def test_a_cookie_goes_to_the_host_of_the_address_only() -> None:
    args, _ = both("https://media.example/show.mpd", Start(cookie="a=1; b=2"))
    assert args[args.index("-cookies") + 1] == (
        "a=1; path=/; domain=media.example;\r\nb=2; path=/; domain=media.example;\r\n"
    )


def test_a_proxy_is_told_by_the_environment_and_never_passed_by() -> None:
    stream = Stream("http://h/x", proxy="http://user:s3cret@proxy:3128")
    assert environment(stream, Start())["http_proxy"] == "http://user:s3cret@proxy:3128"
    check_proxy(stream, stream.url)
    with pytest.raises(BadOption, match="through a proxy"):
        check_proxy(stream, "rtsp://h/1")
    with pytest.raises(BadOption, match="no other proxies"):
        check_proxy(Stream("http://h/x", proxy="socks5://proxy:1080"), "http://h/x")


def test_what_the_program_must_be_able_to_do() -> None:
    assert (needs("srt://h:1"), needs("RTSP://h/1"), needs("http://h/x")) == (("srt",), ("rtsp",), ())
