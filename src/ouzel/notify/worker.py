"""The child process that has apprise (`system.worker`). Started by `host`.

Requests: `{"n", "url", "title", "body", "picture"}`, the last an address or empty; or without all behind `url`: only look whether
that is one. Answers: `{"n", "ok", "why"}`. Names are looked up through our guard, so that no address leads to a metadata service.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ouzel.notify.covers import cover, may_be_reached
from ouzel.system.worker import Question, own_streams, serve

_LOCAL = ("dbus", "gnome", "glib", "kde", "qt", "macosx", "windows", "syslog")
"""Sorts that tell this machine, and nobody else."""
_SHOWN = 300


def main() -> None:
    """Serve until the input ends. The argument: how many requests at once."""
    streams = own_streams()
    _guard_names()

    def serve_one(doc: Question) -> Mapping[str, Any]:
        ok, why = answer(doc)
        return {"ok": ok, "why": why}

    serve(streams, serve_one, int(sys.argv[1]))


def answer(doc: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether it was sent, and why not."""
    try:
        apprise: Any = import_module("apprise")  # 30 MB and more: only who has such a target pays
    except ImportError:
        return False, "apprise is not installed: pip install apprise"
    said = _Listener()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        url = str(doc["url"])
        service: Any = None if url.partition(":")[0].lower() in _LOCAL else apprise.Apprise.instantiate(url)
        if service is None:
            return False, "this is no address that apprise knows"
        if "body" not in doc:
            return True, ""
        sender = apprise.Apprise()
        sender.add(service)
        with cover(str(doc["picture"]) if service.attachment_support else "") as paths:
            files = {"attach": apprise.AppriseAttachment(paths=paths)} if paths else {}
            ok = bool(sender.notify(body=str(doc["body"]), title=str(doc["title"]), **files))
        return ok, "" if ok else said.last or "the service did not take it"
    finally:
        logger.removeHandler(said)


class _Listener(logging.Handler):
    """The last that was complained about by this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()[:_SHOWN]


def _guard_names() -> None:
    """Every library of this process asks the system by this function."""
    ask = socket.getaddrinfo

    def checked(host: Any, *args: Any, **kwargs: Any) -> Any:
        found = ask(host, *args, **kwargs)
        good = [each for each in found if may_be_reached(str(each[4][0]))]
        if not good:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is an address to which no messages are sent")
        return good

    socket.getaddrinfo = checked


if __name__ == "__main__":
    main()
