"""What ffmpeg says on stderr, read: what it has opened, and why it gave up. Pure.

Its exit code tells nothing: a camera that was switched off, a server that closed and a file that was read to its end are all 0.
Lines are those of `-loglevel level+info`, of FFmpeg 5.1 to 9.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from ouzel.base.errors import (
    ConnectFailed,
    ConnectionLost,
    Forbidden,
    Gone,
    HostNotFound,
    HttpStatus,
    NetworkError,
    NotMedia,
    OuzelError,
    RateLimited,
    ServerTrouble,
    Stalled,
    TlsFailed,
    Unsupported,
)
from ouzel.base.urls import redact_text

_PREFIX = re.compile(r"^(?:\[[^\]]*\] )*")
_INPUT = re.compile(r"Input #0, ([\w,]+), from ")
_DURATION = re.compile(r"Duration: (?:(\d+):(\d\d):(\d\d\.\d+)|N/A)")
_DASH = r"\[(?:in#\d+/)?dash [^\n]*"
_SKIPPED = re.compile(rf"^(?:\[http[^\n]*\n)?{_DASH}Failed to open fragment[^\n]*\n?", re.MULTILINE)
_AT_END = re.compile(
    rf"^{_DASH}Error when loading first fragment[^\n]*\n?(?:\[in#\d[^\n]*Error during demuxing: Invalid data[^\n]*\n?)?",
    re.MULTILINE,
)
_UNMEASURED = re.compile(r"^\[http[^\n]*ends prematurely at \d+, should be 18446744073709551615[^\n]*\n?", re.MULTILINE)
_WRITTEN = re.compile(r"\btime=(\d+):(\d\d):(\d\d\.\d+)")
_STREAM = re.compile(r"Stream #0:(\d+)(?:\[\w+\])?(?:\(\w+\))?: (Video|Audio): ([\w-]+)(.*)")
_SIZE = re.compile(r", (\d+)x(\d+)")
_RATE = re.compile(r", ([\d.]+)k? fps")
_SOUND = re.compile(r", (\d+) Hz, ([\w.]+)")
_BANDWIDTH = re.compile(r"variant_bitrate\s*: (\d+)")
_MAPPED = re.compile(r"Stream #0:(\d+) -> #0:\d+")
_CHANNELS = {"mono": 1, "stereo": 2}
_MOST_CHANNELS = 8
_BAD = ("[warning]", "[error]", "[fatal]", "[panic]", "/SRT:")  # the last: libsrt speaks for itself
_STATUS = re.compile(r"(?:HTTP error|failed:|Server returned) ([345])(\d\d|XX)\b")
_SAYINGS: tuple[tuple[str, type[OuzelError]], ...] = (
    (r"Failed to resolve hostname|Name or service not known", HostNotFound),
    (r"certificate|Peer certificate|SSL routines|TLS fatal alert|tls_verify", TlsFailed),
    (r"Server error: .*(?:not found|no such|does not exist)", Gone),
    (r"Server error: .*(?:denied|forbidden|reject|unauthori[sz]ed|auth)|Incorrect passphrase", Forbidden),
    (r"Connection refused|No route to host|Network is unreachable|Connection to \S+ failed", ConnectFailed),
    (r"Connection timed out|Operation timed out", Stalled),
    (r"Connection reset|Broken pipe|ends prematurely|ended prematurely", ConnectionLost),
    (r"Protocol not found|Protocol '\w+' not on whitelist|Option .* not found", Unsupported),
    (r"Invalid data found|could not find codec parameters|does not contain any stream", NotMedia),
)


@dataclass(frozen=True, slots=True)
class InputStream:
    """A stream of the input that can be recorded."""

    index: int
    kind: Literal["video", "audio"]
    codec: str
    """As FFmpeg calls it; `none` when it does not know."""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    bandwidth_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What ffmpeg says when it has opened its input and its output, before it writes the first byte."""

    demuxer: str
    """Its name, the first where it has several: rtsp, flv, mpegts, dash, matroska."""
    duration_s: float | None
    """How long the input is: a file, or as good as one. None: it does not know."""
    streams: tuple[InputStream, ...]
    """In the order of the input; without pictures that are a file's cover."""
    taken: tuple[int, ...]
    """Indices of those that are written."""

    def of(self, kind: Literal["video", "audio"]) -> list[InputStream]:
        return [stream for stream in self.streams if stream.kind == kind]


def read_opened(said: str) -> Opened | None:
    """None as long as it has not opened both."""
    lines = [_PREFIX.sub("", line).strip() for line in said.splitlines()]
    start = next((n for n, line in enumerate(lines) if _INPUT.match(line)), None)
    end = next((n for n, line in enumerate(lines) if line.startswith("Output #0")), None)
    mapped = tuple(int(found[1]) for line in lines if (found := _MAPPED.match(line)))
    if start is None or end is None:
        return None
    head = _INPUT.match(lines[start])
    assert head is not None
    duration = next((found for line in lines[start:end] if (found := _DURATION.match(line))), None)
    known = duration is not None and duration[1] is not None
    duration_s = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3]) if duration and known else None
    return Opened(head[1].partition(",")[0], duration_s, _read_streams(lines[start:end]), mapped)


def trouble_of(said: str) -> OuzelError | None:
    """The error that its words name; None when they name none that is known."""
    lines = [line for line in said.splitlines() if any(word in line for word in _BAD)]
    for number in range(len(lines) - 1, -1, -1):
        if found := _status_error(lines[number]):
            return found
    text = "\n".join(lines)
    for pattern, kind in _SAYINGS:
        if (match := re.search(pattern, text, re.IGNORECASE)) is not None:
            message = _told(text[text.rfind("\n", 0, match.start()) + 1 :].splitlines()[0])
            if kind is Gone:
                return Gone(message, status=404)
            return Forbidden(message, status=403) if kind is Forbidden else kind(message)
    return None


def failure_of(said: str) -> OuzelError:
    """Why there was no media at all."""
    if (known := trouble_of(said)) is not None:
        return known
    lines = [line for line in said.splitlines() if "[error]" in line or "[fatal]" in line]
    return ConnectionLost(_told(lines[0]) if lines else "the stream ended without any media")


def behind_opening(said: str) -> str:
    """What it said after it had opened everything."""
    return said[max(0, said.rfind("Stream mapping:"), said.rfind("Output #0")) :]


def leave_out_skipped(said: str) -> tuple[str, int, int]:
    """Without what it said of segments of a DASH show that it could not have and went past.

    Returns: the rest; how many of them had another behind them; how many times it came to the end of a track in this way. It asks
    for one segment beyond the last where a manifest does not list them, so that the latter need not have existed.
    """
    rest, number = _SKIPPED.subn("", said)
    rest, ends = _AT_END.subn("", rest)
    return rest, max(0, number - ends), ends


def leave_out_unmeasured(said: str) -> tuple[str, bool]:
    """Without what it said of bodies whose length was not announced, and whether it said so: they were closed in good order.

    2^64 - 1 is what it takes for the length of such a body. It says the same when a body in chunks is cut, so that how much of
    the media came has to be looked at, too.
    """
    rest, number = _UNMEASURED.subn("", said)
    return rest, number > 0


def written_s(said: str) -> float | None:
    """How much media it has written, by its last line of figures; None when it gives none."""
    found = _WRITTEN.findall(said)
    if not found:
        return None
    hours, minutes, seconds = found[-1]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _read_streams(lines: list[str]) -> tuple[InputStream, ...]:
    found: dict[int, InputStream] = {}
    last: int | None = None
    for line in lines:
        match = _STREAM.match(line)
        if line.startswith("Stream #0:"):
            last = int(match[1]) if match else None
        if match and "(attached pic)" not in match[4]:
            found.setdefault(int(match[1]), _stream(match))
        elif last in found and (rate := _BANDWIDTH.match(line)):
            found[last] = replace(found[last], bandwidth_bps=int(rate[1]))
    return tuple(found[index] for index in sorted(found))


def _stream(match: re.Match[str]) -> InputStream:
    index, codec, rest = int(match[1]), match[3], match[4]
    if match[2] == "Video":
        size, fps = _SIZE.search(rest), _RATE.search(rest)
        width, height = (int(size[1]), int(size[2])) if size else (None, None)
        rate = float(fps[1]) if fps else None
        return InputStream(index, "video", codec, width, height, rate)
    sound = _SOUND.search(rest)
    channels = _CHANNELS.get(sound[2], _MOST_CHANNELS) if sound else None
    hertz = int(sound[1]) if sound else None
    return InputStream(index, "audio", codec, sample_rate=hertz, channels=channels)


def _status_error(line: str) -> NetworkError | None:
    """An answer that says no: of HTTP and of RTSP, which has the same numbers (RFC 7826 section 8.1.2)."""
    if (match := _STATUS.search(line)) is None:
        return None
    message, status = _told(line), int(match[1] + match[2].replace("X", "0"))
    if status in {401, 403, 407}:
        return Forbidden(message, status=status)
    if status in {404, 410}:
        return Gone(message, status=status)
    if status == 429:
        return RateLimited(message, status=status)
    return ServerTrouble(message, status=status) if status >= 500 else HttpStatus(message, status=status)


def _told(line: str) -> str:
    return f"ffmpeg: {redact_text(_PREFIX.sub('', line)).strip()}"
