"""Reading a master playlist, line by line (draft section 4.4.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from ouzel.base.errors import TooLarge
from ouzel.formats.m3u8.attributes import Attributes
from ouzel.formats.m3u8.models import (
    ContentSteering,
    Key,
    MasterPlaylist,
    Rendition,
    SessionData,
    Variant,
)
from ouzel.formats.m3u8.reading import Reading

_MEDIA_TAGS = frozenset(
    {"#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE"}
)


class MasterReader:
    """Takes lines and builds variants and renditions."""

    __slots__ = (
        "_data",
        "_i_frames",
        "_keys",
        "_reading",
        "_renditions",
        "_steering",
        "_tags",
        "_variants",
        "_waiting",
    )

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._variants: list[Variant] = []
        self._i_frames: list[Variant] = []
        self._renditions: list[Rendition] = []
        self._data: list[SessionData] = []
        self._keys: list[Key] = []
        self._steering: ContentSteering | None = None
        self._tags: list[str] = []
        self._waiting: tuple[int, int, str, Attributes] | None = None
        """The EXT-X-STREAM-INF whose address has not come yet: its line number, its place among the unknown tags should it turn
        out to be none, the line, its attributes."""

    def feed(self, lines: Iterable[str]) -> None:
        """Take whole lines, without their ends. Raises: FormatError, TooLarge."""
        reading, limit = self._reading, self._reading.limits.variants
        for line in lines:
            reading.line += 1
            line = line.strip()
            if not line:
                continue
            if line[0] != "#":
                self._address(line)
            elif line.startswith("#EXT"):
                self._tag(line)
            entries = (self._variants, self._i_frames, self._renditions, self._data, self._keys)
            if sum(map(len, entries)) > limit:
                raise TooLarge(f"line {reading.line}: more than {limit} variants and renditions", limit=limit)

    def finish(self) -> MasterPlaylist:
        """The playlist, once all lines were fed."""
        self._drop_waiting()
        reading = self._reading
        return MasterPlaylist(
            url=reading.url,
            variants=tuple(self._variants),
            i_frame_variants=tuple(self._i_frames),
            renditions=tuple(self._renditions),
            session_data=tuple(self._data),
            session_keys=tuple(self._keys),
            content_steering=self._steering,
            version=reading.version,
            independent_segments=reading.independent_segments,
            start=reading.start,
            variables=tuple(reading.variables.defined.items()),
            tags=tuple(self._tags),
            warnings=reading.warnings(),
        )

    def _address(self, line: str) -> None:
        if self._waiting is None:
            self._reading.warn("uri_without_stream_inf", "an address without EXT-X-STREAM-INF is ignored")
            return
        found = self._waiting[-1]
        self._waiting = None
        self._variants.append(self._variant("EXT-X-STREAM-INF", found, self._reading.join(line), i_frames_only=False))

    def _tag(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.strip()
        if name == "#EXT-X-STREAM-INF":
            self._drop_waiting()
            found = self._reading.attributes("EXT-X-STREAM-INF", value)
            self._waiting = (self._reading.line, len(self._tags), line, found)
            return
        read = self._TAGS.get(name)
        if read(self, value) if read is not None else self._reading.header(name, value):
            return
        if name in _MEDIA_TAGS:
            self._reading.warn("media_tag", f"{name[1:]} has no place in a master playlist")
        self._tags.append(line)

    def _drop_waiting(self) -> None:
        """An EXT-X-STREAM-INF that is followed by another one, or by nothing, is no variant."""
        if self._waiting is not None:
            line, place, text, _ = self._waiting
            self._reading.warn("stream_inf_without_uri", "EXT-X-STREAM-INF without an address is ignored", line=line)
            self._tags.insert(place, text)
            self._waiting = None

    def _variant(self, tag: str, found: Attributes, uri: str, *, i_frames_only: bool) -> Variant:
        bandwidth = found.integer("BANDWIDTH")
        if bandwidth is None and "BANDWIDTH" not in found.unreadable:
            self._reading.warn("bandwidth", f"{tag} without BANDWIDTH")
        variant = Variant(
            uri,
            bandwidth or 0,
            found.integer("AVERAGE-BANDWIDTH"),
            found.string("CODECS"),
            found.resolution("RESOLUTION"),
            found.decimal("FRAME-RATE"),
            found.string("AUDIO"),
            found.string("VIDEO"),
            found.string("SUBTITLES"),
            found.string("CLOSED-CAPTIONS"),
            found.string("NAME"),
            found.decimal("SCORE"),
            found.string("SUPPLEMENTAL-CODECS"),
            found.word("VIDEO-RANGE"),
            found.word("HDCP-LEVEL"),
            found.string("STABLE-VARIANT-ID"),
            found.string("PATHWAY-ID"),
            i_frames_only,
            found.rest(),
        )
        self._reading.unreadable(tag, found)
        return variant

    def _i_frame_variant(self, value: str) -> bool:
        found = self._reading.attributes("EXT-X-I-FRAME-STREAM-INF", value)
        uri = self._reading.address(found)
        if uri is None:
            self._reading.warn("i_frame_stream_inf", "EXT-X-I-FRAME-STREAM-INF without URI is ignored")
            return False
        self._i_frames.append(self._variant("EXT-X-I-FRAME-STREAM-INF", found, uri, i_frames_only=True))
        return True

    def _rendition(self, value: str) -> bool:
        found = self._reading.attributes("EXT-X-MEDIA", value)
        match found.word("TYPE"):
            case "AUDIO" | "VIDEO" | "SUBTITLES" | "CLOSED-CAPTIONS" as type_:
                pass
            case _:
                self._reading.warn("media_type", "EXT-X-MEDIA without a known TYPE is ignored")
                return False
        group, name = found.string("GROUP-ID"), found.string("NAME")
        if group is None or name is None:
            self._reading.warn("media_name", "EXT-X-MEDIA without GROUP-ID or NAME")
        rendition = Rendition(
            type_,
            group or "",
            name or "",
            self._reading.address(found),
            found.string("LANGUAGE"),
            found.string("ASSOC-LANGUAGE"),
            found.flag("DEFAULT"),
            found.flag("AUTOSELECT"),
            found.flag("FORCED"),
            found.string("INSTREAM-ID"),
            found.string("CHARACTERISTICS"),
            found.string("CHANNELS"),
            found.string("STABLE-RENDITION-ID"),
            found.rest(),
        )
        self._renditions.append(rendition)
        return True

    def _session_data(self, value: str) -> bool:
        found = self._reading.attributes("EXT-X-SESSION-DATA", value)
        data_id = found.string("DATA-ID")
        if data_id is None:
            self._reading.warn("session_data", "EXT-X-SESSION-DATA without DATA-ID is ignored")
            return False
        text, uri, language = found.string("VALUE"), self._reading.address(found), found.string("LANGUAGE")
        self._data.append(SessionData(data_id, text, uri, language, found.rest()))
        return True

    def _session_key(self, value: str) -> bool:
        self._keys.append(self._reading.key("EXT-X-SESSION-KEY", value))
        return True

    def _content_steering(self, value: str) -> bool:
        self._reading.once("EXT-X-CONTENT-STEERING")
        found = self._reading.attributes("EXT-X-CONTENT-STEERING", value)
        uri = self._reading.address(found, "SERVER-URI")
        if uri is None:
            self._reading.warn("content_steering", "EXT-X-CONTENT-STEERING without SERVER-URI is ignored")
            return False
        self._steering = ContentSteering(uri, found.string("PATHWAY-ID"), found.rest())
        return True

    _TAGS: ClassVar[dict[str, Callable[[MasterReader, str], bool]]] = {
        "#EXT-X-I-FRAME-STREAM-INF": _i_frame_variant,
        "#EXT-X-MEDIA": _rendition,
        "#EXT-X-SESSION-DATA": _session_data,
        "#EXT-X-SESSION-KEY": _session_key,
        "#EXT-X-CONTENT-STEERING": _content_steering,
    }
