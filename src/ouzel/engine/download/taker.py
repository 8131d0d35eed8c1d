"""Takes the body of one piece: decrypts it, looks what it is, and writes it to its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import xxhash

from ouzel.base.errors import BadResponse, NotDecrypted, ShortBody, Unsupported
from ouzel.engine.download.file import PlacedFile
from ouzel.engine.download.looks import LOOK_BYTES, is_media, is_text, may_be_chance, packed_ending, version_of
from ouzel.engine.download.peel import Peel, is_dressed
from ouzel.engine.sources.detect import discreet, not_media
from ouzel.engine.sources.segment_kind import SegmentKind, kind_of_segment
from ouzel.model.flow import Chunk
from ouzel.model.layout import Layout, Misplaced, foreseen
from ouzel.model.pieces import Piece
from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Take

TrackKind = Literal["media", "text", "plain"]
"""What is to come: segments of pictures and sound; WebVTT; or a file of which nothing is known."""
_ENDINGS: dict[SegmentKind, str] = {"ts": "ts", "mp4": "mp4"}


class Decryptor(Protocol):
    bad_padding: bool

    def feed(self, piece: memoryview) -> memoryview: ...

    def finish(self) -> memoryview: ...


@dataclass(slots=True)
class Place:
    """Where the pieces of one file go: what all takers of a file share."""

    file: PlacedFile
    layout: Layout
    kind: TrackKind
    first: int = 0
    """The position of the file's first piece."""
    foresees: bool = True
    """The length of an encrypted segment is told before its end is there."""
    held_bytes: int = 0
    """Waiting in memory, because nobody knows yet where they belong."""
    container: SegmentKind | None = None
    identity: Callable[[Piece], str] = field(default=lambda _piece: "")
    independent: bool = False
    """The playlist says that decoding can begin with each piece."""
    since_s: float = 0.0
    """Where the file begins in the programme of the track."""
    version: str = ""
    """Of a plain file, when it was looked at."""
    least_bytes: int = 0
    """Of a plain file whose length is not told."""
    on_known: Callable[[], None] = field(default=lambda: None)
    """Told that more places are known, or that it is crooked."""
    opened: bool = False
    """What is encrypted could be read at least once."""
    noise: list[NotDecrypted] = field(default_factory=list[NotDecrypted])
    """Why pieces are lost that their key does not open."""
    scope: Scope = field(default_factory=Scope.public)
    """Where pieces may be asked for."""
    crooked: bool = False
    """Something stands where it cannot stay: until it was moved nothing else gets a place, which might be under it."""

    def learn(self, position: int, size: int) -> None:
        """Raises: Misplaced, when somebody may be writing where it is wrong by now."""
        index = position - self.first
        before, told = self.layout.known, self.layout.size(index)
        try:
            self.layout.learn(index, size)
        except Misplaced:
            self.crooked = True
            if told is not None:
                raise
        if self.layout.known != before or self.crooked:
            self.on_known()

    def place(self, position: int) -> int | None:
        """Where the piece may be written; None while that is not known, or its end might reach into what stands behind it."""
        index = position - self.first
        if self.crooked or (self.layout.size(index) is None and self.layout.is_followed(index)):
            return None
        return self.layout.place(index)

    def size(self, position: int) -> int | None:
        return self.layout.size(position - self.first)

    def room(self, position: int) -> int:
        return self.layout.room(position - self.first)

    def commit(self, piece: Piece, at: int, size: int, digest: str, wall: datetime) -> None:
        """Raises: DiskFull, ReadOnly, StorageError."""
        segment, start_s = piece.segment, piece.at_s - self.since_s
        index = piece.position - self.first
        self.file.commit(
            Chunk(
                index,
                at,
                size,
                start_s,
                start_s + segment.duration_s,
                wall,
                0,
                self.independent,
                digest,
                segment.media_sequence,
                discontinuity=piece.discontinuity,
                identity=self.identity(piece),
            )
        )
        self.layout.stand(index, at, size)

    def is_front(self, position: int) -> bool:
        """Whether all before it have a length, so that it need not wait for anybody."""
        return self.layout.known >= position - self.first


class TooLate(Exception):
    """Somebody else has brought this piece. A signal between our own callbacks."""


class OtherContainer(Exception):
    """The segments are not what their addresses say. A signal between our own callbacks."""

    def __init__(self, kind: SegmentKind, first: bytes) -> None:
        super().__init__(f"the segments are {kind}")
        self.ending = _ENDINGS.get(kind) or packed_ending(first)


class Taker:
    """Of one attempt.

    Args:
        is_over: whether the piece is there by now.
        came: told of every byte.
        gone: told how many of them count no more, because nothing comes of the attempt.
    """

    def __init__(
        self,
        place: Place,
        piece: Piece,
        decryptor: Decryptor | None,
        is_over: Callable[[], bool],
        came: Callable[[int], None],
        gone: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._place = place
        self._piece = piece
        self._decryptor = decryptor
        self._is_over = is_over
        self._came = came
        self._gone = gone
        self._digest = xxhash.xxh3_64()
        self._length: int | None = None
        self.received = 0
        """Bytes of the body, as they came over the wire."""
        self._first: bytearray | None = bytearray() if place.kind != "plain" else None
        self._doubted = False
        """What was decrypted may begin like sound by chance."""
        self._peel: Peel | None = None
        self._waiting = bytearray()
        """What has come since its place, or room in it, was not known."""
        self._at: int | None = None
        self.size = 0

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def on_answer(self, answer: Answer) -> Take:
        """Also of the rest of a body that broke off. Raises: Misplaced; BadResponse when it is not its rest."""
        if self._place.version and version_of(answer) not in {"", self._place.version}:
            raise BadResponse("there is another file at the address by now: what was begun is no part of it")
        if self.received:
            if answer.length is None or self.received + answer.length != self._length:
                raise BadResponse("the rest of the answer is not as long as was announced")
            return self._take
        self._length = answer.length
        if self._first is None and answer.length is not None:
            self._place.learn(self._piece.position, answer.length)
        return self._take

    def finish(self) -> int:
        """The body is complete. Returns: its length as it is written. Raises: ShortBody, NotMedia, NotDecrypted; Misplaced."""
        if self._decryptor is not None:
            self._decrypted(self._decryptor.finish())
        if self._first is not None:
            self._begin(bytes(self._first), whole=True)
        if self._doubted and self._decryptor is not None and self._decryptor.bad_padding:
            raise _noise()
        if self._peel is not None:
            self._peel.finish()
        if not self.size and self._place.kind != "text":
            raise ShortBody("the segment is empty")
        if self._length is None and self.size < self._place.least_bytes:
            raise ShortBody(f"the answer ended after {self.size} of {self._place.least_bytes} bytes or more")
        self._place.learn(self._piece.position, self.size)
        self.settle()
        return self.size

    @property
    def can_go_on(self) -> bool:
        """The body broke off, and its rest can be asked for."""
        return self.received > 0 and self._length is not None and self.received < self._length

    def settle(self) -> bool:
        """Write what has waited, if its place is known by now. Returns: whether it is."""
        if self._at is None:
            self._at = self._place.place(self._piece.position)
        if self._at is None:
            return False
        if self._waiting:
            self._place.held_bytes -= len(self._waiting)
            waiting, self._waiting = self._waiting, bytearray()
            self._place.file.write(self._at + self.size - len(waiting), waiting)
        return True

    @property
    def at(self) -> int:
        """Where it begins in the file, once `settle` says so."""
        assert self._at is not None
        return self._at

    def drop(self) -> None:
        """Nothing comes of this attempt."""
        self._place.held_bytes -= len(self._waiting)
        self._waiting = bytearray()
        self._gone(self.received)
        self.received = 0

    # -- the way of a byte --------------------------------------------------------------------------------------------

    def _take(self, piece: memoryview) -> None:
        if self._is_over():
            raise TooLate
        self._came(len(piece))
        self.received += len(piece)
        self._decrypted(piece if self._decryptor is None else self._decryptor.feed(piece))

    def _decrypted(self, piece: memoryview) -> None:
        if self._first is not None:
            if len(self._first) + len(piece) < LOOK_BYTES:
                self._first += piece
                return
            if self._first:
                piece = memoryview(self._first + piece)
            self._begin(bytes(piece[:LOOK_BYTES]), whole=False)
        self._bare(piece)

    def _begin(self, first: bytes, *, whole: bool) -> None:
        self._first = None
        if is_dressed(first) and self._place.kind == "media":
            self._peel = Peel(first, self._put, self._bared)
        else:
            with discreet(self._place.scope):
                self._check(first)
            self._bared(0)
        if whole:
            self._bare(memoryview(bytearray(first)))

    def _bare(self, piece: memoryview) -> None:
        if self._peel is None:
            self._put(piece)
        else:
            self._peel.feed(piece)

    def _check(self, first: bytes) -> None:
        """Raises: NotMedia, NotDecrypted, Unsupported."""
        if self._place.kind == "text":
            if self._decryptor is not None and not is_text(first):
                raise _noise()
            if first.lstrip()[:1] == b"<" and b"<tt" not in first:
                raise not_media("the segment is a web page", first)
            return
        if not first:
            return
        if not is_media(first):
            if self._decryptor is not None:
                raise _noise()
            kind_of_segment(first.ljust(8, b"\0"))  # it knows a web page, and subtitles
            raise not_media("the segment is no media that Ouzel knows", first)
        kind = kind_of_segment(first)
        self._doubted = self._decryptor is not None and may_be_chance(first)
        if self._doubted and kind != self._place.container:
            raise _noise()
        if self._place.container not in {None, kind}:
            if not self._place.file.whole:
                raise OtherContainer(kind, first)
            raise Unsupported(f"the segments change from {self._place.container} to {kind} in one file")
        self._place.container = kind

    def _bared(self, skipped: int | None) -> None:
        """What the length will be, if that can be told. Raises: Misplaced."""
        if self._length is None or skipped is None:
            return
        size: int | None = self._length - skipped
        if self._decryptor is not None:
            can = self._place.foresees and not skipped and self._place.container == "ts"
            size = foreseen(self._length) if can else None
        if size is not None:
            self._place.learn(self._piece.position, size)

    def _put(self, piece: memoryview) -> None:
        self._digest.update(piece)
        room = self._place.size(self._piece.position)
        if (room is None or self.size + len(piece) <= room) and self.settle():
            self._place.file.write(self.at + self.size, piece)
        else:
            self._waiting += piece  # behind its room another piece may stand already
            self._place.held_bytes += len(piece)
        self.size += len(piece)


def _noise() -> NotDecrypted:
    return NotDecrypted("decrypted, the segment is no media: it may have another key than the playlist says")
