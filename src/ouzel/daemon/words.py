"""What people read of the daemon, in their language: it is the command line's, and is handed in."""

from __future__ import annotations

from typing import Protocol


class Words(Protocol):
    """`ouzel.cli.texts`."""

    def tr(self, key: str, /, **fields: object) -> str:
        """The text for a key."""
        ...

    def reason(self, code: str, message: str) -> str:
        """What went wrong, on one line."""
        ...
