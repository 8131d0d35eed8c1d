"""The way to each sort of remote."""

from __future__ import annotations

from ouzel.engine.transfer.rclone import Rclone
from ouzel.engine.transfer.s3 import S3
from ouzel.engine.transfer.transport import Settings, TransferRules, Transport


class Transports:
    """Opens the way to a remote; nothing runs before it is used."""

    def __init__(self, rules: TransferRules) -> None:
        self._rules = rules
        self._known: set[str] = set()

    def open(self, kind: str, settings: Settings) -> Transport:
        """Args: settings: in the clear, and checked."""
        return S3(settings, self._rules) if kind == "s3" else Rclone(settings, self._rules, self._known)
