"""Which variant `--quality` means."""

from __future__ import annotations

import pytest

from ouzel.base.errors import FormatError, UnknownQuality
from ouzel.formats.m3u8 import MasterPlaylist, parse
from ouzel.model.quality import choose, label, offered


def master(text: str) -> MasterPlaylist:
    playlist = parse("#EXTM3U\n" + text, base_url="")
    assert isinstance(playlist, MasterPlaylist)
    return playlist


def stream(uri: str, attributes: str) -> str:
    return f"#EXT-X-STREAM-INF:{attributes}\n{uri}\n"


LADDER = master(
    stream("720p30", 'BANDWIDTH=2500000,RESOLUTION=1280x720,FRAME-RATE=30,CODECS="avc1.64001f,mp4a.40.2"')
    + stream("1080p60", 'BANDWIDTH=6000000,RESOLUTION=1920x1080,FRAME-RATE=59.94,CODECS="avc1.64002a,mp4a.40.2"')
    + stream("720p60", 'BANDWIDTH=3500000,RESOLUTION=1280x720,FRAME-RATE=60.000,CODECS="avc1.640020,mp4a.40.2"')
    + stream("720p60+", 'BANDWIDTH=4000000,RESOLUTION=1280x720,FRAME-RATE=60.000,CODECS="avc1.640020,mp4a.40.2"')
    + stream("360p", 'BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"')
    + stream("sound", 'BANDWIDTH=96000,CODECS="mp4a.40.2"')
    + '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=3840x2160,URI="iframes"\n'
)


@pytest.mark.parametrize(
    ("wanted", "uri"),
    [
        ("best", "1080p60"),
        (" BEST ", "1080p60"),
        ("worst", "360p"),
        ("source", "1080p60"),
        ("audio", "sound"),
        ("1080p", "1080p60"),
        ("1080", "1080p60"),
        ("720p", "720p60+"),
        ("720p60", "720p60+"),
        ("720p30", "720p30"),
        ("720p50", "720p30"),  # the next lower frame rate of that height
        ("1080p30", "720p60+"),  # the next lower pair of height and frame rate
        ("900p", "720p60+"),
        ("2160p", "1080p60"),
        ("240p", "360p"),  # nothing is lower
        ("4k", "1080p60"),
        ("8K", "1080p60"),
        ("2500kbps", "720p30"),
        ("3.4Mbps", "720p30"),
        ("3.5Mb/s", "720p60"),
        ("5000kbps", "720p60+"),
        ("10kbit/s", "360p"),
        ("2500k", "720p30"),
        ("3.5M", "720p60"),
        ("原画", "1080p60"),
        ("蓝光", "1080p60"),
        ("HD", "720p60+"),
        ("标清", "360p"),
        ("音频", "sound"),
    ],
)
def test_the_nearest_variant(wanted: str, uri: str) -> None:
    choice = choose(LADDER, wanted)
    assert choice.variant is not None
    assert choice.variant.uri == uri
    assert choice.reason


@pytest.mark.parametrize("wanted", ["", "bets", "1080i", "p60", "720p60fps", "k", "-1p", "720p;rm", "3k", "4kp"])
def test_an_unknown_quality_names_what_is_there(wanted: str) -> None:
    with pytest.raises(UnknownQuality, match="1080p60, 720p60, 720p, 360p, audio") as caught:
        choose(LADDER, wanted)
    assert wanted.strip() in caught.value.message


@pytest.mark.parametrize(
    ("wanted", "uri"), [("2k", "1440"), ("4K", "2160p60"), ("4k60", "2160p60"), ("4k30", "2160p30"), ("8k", "4320")]
)
def test_sizes_by_their_trade_names(wanted: str, uri: str) -> None:
    playlist = master(
        stream("360", "BANDWIDTH=3000,RESOLUTION=640x360")
        + stream("1440", "BANDWIDTH=9000000,RESOLUTION=2560x1440")
        + stream("2160p30", "BANDWIDTH=15000000,RESOLUTION=3840x2160,FRAME-RATE=30")
        + stream("2160p60", "BANDWIDTH=20000000,RESOLUTION=3840x2160,FRAME-RATE=60")
        + stream("4320", "BANDWIDTH=60000000,RESOLUTION=7680x4320")
    )
    variant = choose(playlist, wanted).variant
    assert variant is not None
    assert variant.uri == uri


def test_few_kilobits_need_their_unit() -> None:
    with pytest.raises(UnknownQuality, match=r"'3k' \(a rate is written 3kbps\); there is"):
        choose(LADDER, "3k")


def test_names_come_before_sizes() -> None:
    playlist = master(
        '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="chunked",NAME="1080p60 (source)",AUTOSELECT=YES,DEFAULT=YES\n'
        '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="audio_only",NAME="audio_only"\n'
        + stream("source", 'BANDWIDTH=1,RESOLUTION=1920x800,VIDEO="chunked"')
        + stream("higher", 'BANDWIDTH=9,RESOLUTION=3840x2160,NAME="4K, transcoded"')
        + stream("low", 'BANDWIDTH=3,RESOLUTION=854x356,NAME="480P"')
        + stream("sound", 'BANDWIDTH=3,CODECS="mp4a.40.2",VIDEO="audio_only"')
    )

    def uri(wanted: str) -> str:
        variant = choose(playlist, wanted).variant
        assert variant is not None
        return variant.uri

    assert uri("source") == uri("chunked") == uri("1080p60 (Source)") == "source"
    assert uri("best") == "higher"
    assert uri("480p") == "low"
    assert uri("1080p") == "source"  # 800 is the next lower
    assert uri("audio_only") == "sound"


def test_upright_video_is_measured_by_its_shorter_side() -> None:
    playlist = master(
        stream("tall", "BANDWIDTH=1,RESOLUTION=1080x1920") + stream("wide", "BANDWIDTH=1,RESOLUTION=1280x720")
    )
    assert choose(playlist, "1080p").reason == "as asked for"
    assert label(playlist.variants[0]) == "1080p"


def test_a_variant_that_tells_no_size_ranks_by_its_bandwidth() -> None:
    playlist = master(
        stream("720", "BANDWIDTH=3000000,RESOLUTION=1280x720,FRAME-RATE=60")
        + stream("raw", "BANDWIDTH=8000000")
        + stream("tiny", "BANDWIDTH=100000")
    )
    best, worst = choose(playlist, "best").variant, choose(playlist, "worst").variant
    assert best is not None
    assert worst is not None
    assert (best.uri, worst.uri) == ("raw", "tiny")
    sized = choose(playlist, "1080p").variant
    assert sized is not None
    assert sized.uri == "720"


def test_without_any_size_a_height_means_the_best() -> None:
    playlist = master(stream("a", "BANDWIDTH=100000") + stream("b", "BANDWIDTH=300000"))
    choice = choose(playlist, "720p")
    assert choice.variant is not None
    assert (choice.variant.uri, choice.reason) == ("b", "the best there is: no sizes are told")
    assert offered(playlist).startswith("there is 300kbps, 100kbps;")


def test_when_all_variants_are_sound_one_of_them_is_the_best() -> None:
    playlist = master(
        stream("a", 'BANDWIDTH=64000,CODECS="mp4a.40.5"') + stream("b", 'BANDWIDTH=128000,CODECS="mp4a.40.2"')
    )
    best = choose(playlist, "best").variant
    assert best is not None
    assert best.uri == "b"


AUDIO = (
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Commentary",LANGUAGE="en",URI="commentary"\n'
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en-GB",AUTOSELECT=YES,DEFAULT=YES,URI="english"\n'
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de-AT",AUTOSELECT=YES,URI="deutsch"\n'
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Original",LANGUAGE="ja"\n'
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=YES,URI="subtitles"\n'
)
VIDEO = 'BANDWIDTH=1000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"'


@pytest.mark.parametrize(
    ("language", "uri"),
    [
        (None, "english"),
        ("de", "deutsch"),
        ("DE-at", "deutsch"),
        ("en", "english"),
        ("fr", "english"),
        ("ja", None),
        ("d", "english"),
    ],
)
def test_the_audio_rendition(language: str | None, uri: str | None) -> None:
    choice = choose(master(AUDIO + stream("v", VIDEO + ',AUDIO="a"')), "best", language=language)
    assert (choice.audio.uri if choice.audio else None) == uri


def test_default_then_autoselect_then_the_first() -> None:
    def chosen(text: str) -> str | None:
        audio = choose(master(text + stream("v", VIDEO + ',AUDIO="a"')), "best").audio
        return audio.uri if audio else None

    first = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="1",URI="1"\n'
    auto = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="2",AUTOSELECT=YES,URI="2"\n'
    inside = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="3",DEFAULT=YES\n'
    own = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="4",DEFAULT=YES,URI="v"\n'
    other = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="5",DEFAULT=YES,URI="5"\n'
    assert chosen(first) == "1"
    assert chosen(first + auto + other) == "2"
    assert chosen(first + auto + inside) is None  # without an address it is in the variant
    assert chosen(first + own) is None  # and so it is when it is the variant's own playlist
    assert chosen(other) is None


def test_audio_alone_may_be_a_rendition() -> None:
    both = master(
        AUDIO + stream("v", VIDEO + ',AUDIO="a"') + stream("sound", 'BANDWIDTH=64000,CODECS="mp4a.40.2",AUDIO="a"')
    )
    choice = choose(both, "audio")
    assert choice.variant is not None
    assert (choice.variant.uri, choice.audio) == ("sound", None)

    german = choose(both, "audio", language="de")
    assert german.audio is not None
    assert (german.variant, german.audio.uri) == (None, "deutsch")

    rendition = choose(master(AUDIO + stream("v", VIDEO + ',AUDIO="a"')), "audio")
    assert rendition.audio is not None
    assert (rendition.variant, rendition.audio.uri) == (None, "english")


def test_audio_without_any_falls_back_to_the_smallest_variant() -> None:
    choice = choose(master(stream("a", VIDEO) + stream("b", "BANDWIDTH=10,RESOLUTION=2x2")), "audio")
    assert choice.variant is not None
    assert choice.variant.uri == "b"


def test_a_playlist_of_renditions_only_is_sound() -> None:
    choice = choose(master(AUDIO), "best")
    assert choice.audio is not None
    assert (choice.variant, choice.audio.uri) == (None, "english")


def test_a_master_without_anything_to_play() -> None:
    with pytest.raises(FormatError):
        choose(master('#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b"\n'), "best")
