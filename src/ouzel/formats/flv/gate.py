"""The start of a connection: passes the file header and garbage, and holds the first tags until the survey is content."""

from __future__ import annotations

from ouzel.base.errors import NotMedia
from ouzel.formats.flv.search import TagSearch
from ouzel.formats.flv.survey import Survey
from ouzel.formats.flv.tags import HEADER_SIZE, file_header_size, is_file_header

_TEXT = (b"<", b"{", b"[", b"#EXT")


class Gate:
    """Takes bytes until the tracks and the beginning of their time are known.

    Args:
        survey: what looks at the tags.
        opening: a file header may come first, or the first tag without a PreviousTagSize before it.
        search_bytes: see `TagSearch`.
    """

    def __init__(self, survey: Survey, *, opening: bool, search_bytes: int) -> None:
        self.survey = survey
        self.passed = 0
        """Bytes fed before those that `feed` returned; less those that it made up to stand before the first tag."""
        self.garbage = 0
        """Those of them that were neither header nor tag."""
        self._opening = opening
        self._search_bytes = search_bytes
        self._search: TagSearch | None = None
        self._held = bytearray()

    def feed(self, piece: memoryview) -> memoryview | None:
        """Returns what is held, from a unit on, once the survey is done; None before.

        Raises: NotMedia for text; FormatError when no tag is found within the limit, or the file header cannot be; TooLarge.
        """
        if self._search is not None:
            rest = self._seek(self._search, piece)
        elif self._held:
            self._held += piece
            rest = memoryview(self._held)
        else:
            rest = piece
        while rest is not None:
            if self._search is not None:
                rest = self._seek(self._search, rest)
                continue
            if self._opening:
                opened = self._open(rest)
                if opened is None:
                    break
                rest = opened
            elif self.survey.look(rest) and not self.survey.blank:
                self._held = bytearray()
                return rest
            elif self.survey.done:
                rest = self._stumble(rest)
            else:
                break
        if rest is not None:
            self._hold(rest)
        return None

    def flush(self) -> memoryview | None:
        """Nothing more will come. Returns what is held if there is sound or picture in it."""
        if self.survey.blank or self._search is not None:
            return None
        held, self._held = self._held, bytearray()
        return memoryview(held)

    @property
    def held(self) -> int:
        return len(self._held) + (self._search.held if self._search else 0)

    def _hold(self, rest: memoryview) -> None:
        done = self.survey.forget(len(rest)) if self.survey.blank and not self._opening else 0
        self.passed += done
        if rest.obj is self._held:
            done += len(self._held) - len(rest)
            rest.release()
            del self._held[:done]
        else:
            self._held = bytearray(rest[done:])

    def _open(self, buf: memoryview) -> memoryview | None:
        """Pass the file header. Returns what begins with the first unit, None when more bytes are needed."""
        if len(buf) < HEADER_SIZE + 4:
            return None
        if is_file_header(buf):
            size = file_header_size(buf)
            if len(buf) < size:
                return None
            self._opening = False
            self.passed += size
            return buf[size:]
        begin = buf[: HEADER_SIZE + 4].tobytes().lstrip(b"\xef\xbb\xbf \t\r\n")
        if begin.startswith(_TEXT) and not any(byte < 0x20 and byte not in b"\t\r\n" for byte in begin):
            raise NotMedia("text, where FLV was expected", begin=begin.decode("latin-1"))
        self._opening = False
        self.passed -= 4
        return memoryview(bytearray(4) + buf)

    def _stumble(self, buf: memoryview) -> memoryview:
        """Neither sound nor picture yet, and what comes next is not a tag."""
        at = self.survey.forget_all()
        if is_file_header(buf, at + 4):
            self._opening = True
            at += 4
        else:
            self._search = TagSearch(self._search_bytes)
        self.passed += at
        return buf[at:]

    def _seek(self, search: TagSearch, piece: memoryview) -> memoryview | None:
        found = search.feed(piece)
        if found is not None:
            self._search = None
            self.passed += search.skipped
            self.garbage += search.skipped
        return found
