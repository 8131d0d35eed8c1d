"""The picture of a message, in the process of apprise: services get its bytes, and its address is what a platform says.

So it comes from public addresses only, on every hop; a proxy of the environment is not asked. What cannot be had in time, is too
large or is no picture is left out: the words go all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ouzel.system.guard import AddressClass, classify

MOST_BYTES = 5_000_000
_WITHIN_S = 15.0
_CONNECT_S = 5.0
_PIECE = 65_536
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}
_ASKED = threading.local()


def may_be_reached(address: str) -> bool:
    """Of what this thread looks up now."""
    found = classify(ip_address(address))
    if getattr(_ASKED, "for_a_picture", False):
        return found is AddressClass.PUBLIC
    return found not in {AddressClass.LINK_LOCAL, AddressClass.OTHER}


@contextmanager
def cover(url: str) -> Generator[Sequence[str]]:
    """Blocking. Yields: the path of the picture, or nothing; it is there for as long as the context is."""
    with TemporaryDirectory(prefix="ouzel-cover-") as folder:
        path = _fetched(url, Path(folder)) if url.startswith(("http://", "https://")) else None
        yield [str(path)] if path else []


def _fetched(url: str, folder: Path) -> Path | None:
    requests: Any = import_module("requests")  # apprise brings it
    _ASKED.for_a_picture = True
    try:
        until = time.monotonic() + _WITHIN_S
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, stream=True, timeout=_CONNECT_S) as answer:
                kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                if answer.status_code != 200 or kind not in _ENDINGS:
                    return None
                data = bytearray()
                for piece in answer.iter_content(_PIECE):
                    data += piece
                    if len(data) > MOST_BYTES or time.monotonic() > until:
                        return None
    except (requests.RequestException, OSError, ValueError):
        return None
    finally:
        _ASKED.for_a_picture = False
    path = folder / f"cover.{_ENDINGS[kind]}"
    path.write_bytes(data)
    return path if data else None
