"""The child process that has apprise. Started by `host`; speaks JSON lines over its standard streams, one request at a time each.

Requests: `{"n", "url", "title", "body", "picture"}`, the last an address or empty; or without all behind `url`: only look whether
that is one. Answers: `{"n", "ok", "why"}`. Names are looked up through our guard, so that no address leads to a metadata service.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, TextIO

from ouzel.notify.covers import cover, may_be_reached

_LOCAL = ("dbus", "gnome", "glib", "kde", "qt", "macosx", "windows", "syslog")
"""Sorts that tell this machine, and nobody else."""
_SHOWN = 300


def main() -> None:
    """Serve until the input ends. The argument: how many requests at once."""
    lines, answers = _own_streams()
    _guard_names()
    lock = threading.Lock()

    def serve(doc: Mapping[str, Any]) -> None:
        ok, why = answer(doc)
        with lock:
            answers.write(json.dumps({"n": doc["n"], "ok": ok, "why": why}, ensure_ascii=True) + "\n")
            answers.flush()

    pool = ThreadPoolExecutor(int(sys.argv[1]), thread_name_prefix="notify")
    for line in lines:
        pool.submit(_whole, serve, json.loads(line))
    os._exit(0)


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


def _whole(serve: Any, doc: Mapping[str, Any]) -> None:
    """A bug of ours must not look like a service that does not answer: the process ends, and its owner sees why."""
    try:
        serve(doc)
    except BaseException as exc:  # noqa: BLE001 - told, and not survived
        sys.excepthook(type(exc), exc, exc.__traceback__)
        os._exit(70)


def _own_streams() -> tuple[TextIO, TextIO]:
    """Our two pipes, moved to where no library writes."""
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return lines, answers


if __name__ == "__main__":
    main()
