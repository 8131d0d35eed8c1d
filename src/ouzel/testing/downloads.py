"""A stand-in for what downloads: writes pieces of ten bytes into a real file, and goes on where that is."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.lowlevel

from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadWish, OnDownload

PIECE = b"0123456789"


class FakeDownloading:
    """
    Args:
        pieces: of each download.
        before_piece: awaited before each piece is written, with the wish and the piece's number.
    """

    def __init__(
        self, pieces: int = 4, before_piece: Callable[[DownloadWish, int], Awaitable[None]] | None = None
    ) -> None:
        self.pieces = pieces
        self.begun: list[DownloadWish] = []
        self.written: list[tuple[str, int]] = []
        """Stem and number of each piece."""
        self.troubles: dict[str, deque[Exception]] = defaultdict(deque)
        """By stem: what is raised, one for each call, when a piece more is there."""
        self.most_at_once = 0
        self._before_piece = before_piece
        self._busy: set[Path] = set()

    async def run(self, wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        path = wish.folder / f"{wish.stem or 'untitled'}.ts"
        if path in self._busy:
            raise RuntimeError(f"{path} is written twice at once")
        self.begun.append(wish)
        self._busy.add(path)
        self.most_at_once = max(self.most_at_once, len(self._busy))
        try:
            return await self._write(wish, path, on_progress)
        finally:
            self._busy.remove(path)

    async def _write(self, wish: DownloadWish, path: Path, on_progress: OnDownload) -> DownloadOutcome:
        on_progress(DownloadProgress("resolving"))
        wish.folder.mkdir(parents=True, exist_ok=True)
        part, there = path.with_name(f"{path.name}.part"), 0
        if path.exists():  # noqa: ASYNC240
            there = self.pieces
        elif part.exists():
            there = part.stat().st_size // len(PIECE)
        for number in range(there, self.pieces):
            on_progress(self._progress(path, number))
            if self._before_piece is not None:
                await self._before_piece(wish, number)
            with part.open("ab") as file:
                file.write(PIECE)
            self.written.append((wish.stem, number))
            on_progress(self._progress(path, number + 1))
            await anyio.lowlevel.checkpoint()
            if troubles := self.troubles[wish.stem]:
                raise troubles.popleft()
        if part.exists():
            part.replace(path)
        size = self.pieces * len(PIECE)
        return DownloadOutcome(
            path, None, "ts", size, float(self.pieces), self.pieces, size - there * len(PIECE), title="a film"
        )

    def _progress(self, path: Path, done: int) -> DownloadProgress:
        size = len(PIECE)
        return DownloadProgress(
            "fetching", done, self.pieces, done * size, float(done), float(self.pieces), self.pieces * size,
            speed_bps=5_200_000.0, eta_s=135.0, connections=1, file=str(path), share=done / self.pieces,
        )  # fmt: skip
