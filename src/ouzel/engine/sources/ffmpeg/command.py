"""The child's command line: one input, written as MPEG-TS to standard output. Pure.

A command line stands in the process table, for every user of the machine to read. So addresses of RTSP, RTMP and SRT, which hold
passwords, passphrases and stream keys, are given in a script on standard input, in the form of ffmpeg's concat demuxer with this
one entry. What is read over HTTP cannot be opened so (a manifest's unwanted qualities would be fetched too, and headers need line
ends): its address, headers and cookies are arguments.

What it may open is limited to the protocols and formats that the kind of address needs: a manifest, or an answer that
has changed since we looked at it, must not lead to a local file.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import BadOption, BadUrl
from ouzel.base.urls import redact
from ouzel.engine.sources.ffmpeg.picking import Picked
from ouzel.model.stream import Stream
from ouzel.system.ffmpeg import Ffmpeg, Need
from ouzel.system.http import USER_AGENT

_LISTENING = frozenset({"udp", "rtp"})
_TLS_IN_RTSP = (63, 0)  # libavformat of FFmpeg 9: from there on its RTSP reader hands the options of TLS on
_PROTOCOLS = {
    "http": "http,https,httpproxy,tcp,tls",
    "https": "http,https,httpproxy,tcp,tls",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtp,srtp,udp,tls,tcp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "srt": "srt",
    "udp": "udp",
    "rtp": "rtp,udp",
}
_HTTP_FORMATS = (
    "dash,mov,matroska,mpegts,mpeg,flv,live_flv,ogg,mp3,aac,ac3,eac3,flac,wav,w64,aiff,avi,asf,webvtt"  # no playlists
)
_QUIET_S = 15  # without a byte; our own watchdog is faster
_HELD_S = 2  # when one track stops, the other is held back for so long
_IN_SCRIPT = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "srt"})
_MAX_ADDRESS = 4096  # what ffmpeg itself takes
_ONWARDS = r"noise=drop=if(eq(n\,0)+gt(dts\,ld(0))\,0*st(0\,dts)\,1)"
"""A filter that drops packets whose time does not lie behind all before. At the end of a live manifest ffmpeg asks for what is
not there yet, over and over, and then begins again with what it has had (5.1), or gives up (9.0). It rarely comes there when it
reads no faster than the media plays; and what it brings again must not reach its muxer, which would move the stamps until they
rise."""
_NEEDS: dict[str, Need] = {"rtmp": "rtmp", "rtmps": "rtmps", "srt": "srt", "rtsp": "rtsp", "rtsps": "rtsp"}


@dataclass(frozen=True, slots=True)
class Start:
    """What changes from one start of the child to the next."""

    picked: Picked | None = None
    """None: ffmpeg's own choice, copied."""
    resume_s: float = 0.0
    """Of a file: begin with the first key frame from this time on."""
    cookie: str | None = None
    """Value of the Cookie header for the address."""
    paced: bool = False
    """No faster than it plays, and nothing twice: a live DASH show, see `_ONWARDS`."""
    ca_file: str | None = None
    """Certificates of the authorities that are trusted; None: what ffmpeg was built with."""


def scheme_of(address: str) -> str:
    return urlsplit(address).scheme.lower()


def needs(address: str) -> tuple[Need, ...]:
    """What the program must be able to do."""
    need = _NEEDS.get(scheme_of(address))
    return (need,) if need else ()


def listens(address: str) -> bool:
    """Whether nobody is called up: what others send here is read."""
    query = parse_qs(urlsplit(address).query)
    return scheme_of(address) in _LISTENING or (scheme_of(address) == "srt" and query.get("mode") == ["listener"])


def check_proxy(stream: Stream, address: str) -> None:
    """Raises: BadOption when the way around the proxy would be taken."""
    if stream.proxy is None:
        return
    if scheme_of(address) not in {"http", "https"}:
        raise BadOption(f"{scheme_of(address)}:// cannot be read through a proxy")
    if not stream.proxy.lower().startswith("http://"):
        raise BadOption("this kind of stream is read by ffmpeg, which knows no other proxies than http://")


def arguments(program: Ffmpeg, stream: Stream, address: str, start: Start) -> list[str]:
    """The program and its arguments."""
    args = [program.path, "-nostdin", "-nostats", "-hide_banner", "-loglevel", "level+info"]
    if scheme_of(address) in _IN_SCRIPT:
        allowed = f"pipe,{_PROTOCOLS[scheme_of(address)]}"
        args += ["-f", "concat", "-safe", "0", "-protocol_whitelist", allowed, "-i", "pipe:0"]
    else:
        options = _input_options(program, stream, address, start)
        args += [word for name, value in options for word in (f"-{name}", value)]
        if start.paced:
            args.append("-re")
        if start.resume_s:
            args += ["-ss", f"{start.resume_s:.3f}"]
        args += ["-i", address]
    args += ["-sn", "-dn", *_output_streams(stream, start.picked)]
    if start.paced:
        args += ["-bsf:v", _ONWARDS, "-bsf:a", _ONWARDS]
    if start.resume_s:  # nothing from before that time, and time stamps that go on
        args += ["-copypriorss", "0", "-output_ts_offset", f"{start.resume_s:.3f}"]
    args += ["-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "-muxpreload", "0"]
    return [*args, "-max_interleave_delta", str(_HELD_S * 1_000_000), "pipe:1"]


def script(program: Ffmpeg, stream: Stream, address: str, start: Start) -> bytes:
    """What the child reads from standard input; empty where its arguments name the address.

    Raises: BadUrl for an address that no such script can hold.
    Source: FFmpeg, "ffmpeg-formats", section concat.
    """
    if scheme_of(address) not in _IN_SCRIPT:
        return b""
    if len(address) > _MAX_ADDRESS or not address.isprintable():
        raise BadUrl(f"{redact(address)[:200]!r} is too long for an address, or has a control character in it")
    lines = ["ffconcat version 1.0", f"file {_quote(address)}"]
    options = _input_options(program, stream, address, start)
    lines += [f"option {name} {_quote(value)}" for name, value in options]
    return "\n".join([*lines, ""]).encode()


def environment(stream: Stream, start: Start) -> dict[str, str]:
    """Variables for the child. Through them the proxy and the authorities hold for every address that a manifest names."""
    found: dict[str, str] = {}
    if stream.proxy is not None:
        found["http_proxy"] = stream.proxy
    if start.ca_file is not None:
        found["SSL_CERT_FILE"] = start.ca_file
    return found


def _input_options(program: Ffmpeg, stream: Stream, address: str, start: Start) -> list[tuple[str, str]]:
    return [("protocol_whitelist", _PROTOCOLS[scheme_of(address)]), *_protocol_options(program, stream, address, start)]


def _protocol_options(program: Ffmpeg, stream: Stream, address: str, start: Start) -> list[tuple[str, str]]:
    match scheme_of(address):
        case "rtsp" | "rtsps" as scheme:
            tls = _tls(stream, start) if scheme == "rtsps" and program.libavformat >= _TLS_IN_RTSP else []
            quiet = str(_QUIET_S * 1_000_000 // 2)  # it gives up after twice the time
            return [("rtsp_transport", "tcp"), (program.rtsp_timeout, quiet), ("analyzeduration", "500000"), *tls]
        case "rtmp" | "rtmps" as scheme:
            tls = _tls(stream, start) if scheme == "rtmps" else []
            return [("rw_timeout", str(_QUIET_S * 1_000_000)), ("analyzeduration", "3000000"), *tls]
        case "http" | "https" as scheme:
            return [*_http(stream, address, start), *(_tls(stream, start) if scheme == "https" else [])]
        case _:
            return [("analyzeduration", "3000000")]


def _http(stream: Stream, address: str, start: Start) -> list[tuple[str, str]]:
    options = [("format_whitelist", _HTTP_FORMATS), ("rw_timeout", str(_QUIET_S * 1_000_000))]
    names = {name.lower() for name, _ in stream.headers}
    if "user-agent" not in names:
        options.append(("user_agent", USER_AGENT))
    if stream.headers:
        options.append(("headers", "".join(f"{name}: {value}\r\n" for name, value in stream.headers)))
    if start.cookie and "cookie" not in names:  # for this host only, wherever a manifest may lead
        host = urlsplit(address).hostname
        pairs = (pair.strip() for pair in start.cookie.split(";"))
        options.append(("cookies", "".join(f"{pair}; path=/; domain={host};\r\n" for pair in pairs if pair)))
    return options


def _tls(stream: Stream, start: Start) -> list[tuple[str, str]]:
    if not stream.verify_tls:
        return [("tls_verify", "0")]
    return [("tls_verify", "1"), *([("ca_file", start.ca_file)] if start.ca_file else [])]


def _quote(word: str) -> str:
    """As one word of the script."""
    return "'" + word.replace("'", "'\\''") + "'"


def _output_streams(stream: Stream, picked: Picked | None) -> list[str]:
    if picked is None:
        return ["-c", "copy", *(["-vn"] if stream.quality.lower() == "audio" else [])]
    args = [word for index in picked.indices for word in ("-map", f"0:{index}")]
    if picked.audio_bps is None:
        return [*args, "-c", "copy"]
    return [*args, "-c:v", "copy", "-c:a", "aac", "-b:a", str(picked.audio_bps)]
