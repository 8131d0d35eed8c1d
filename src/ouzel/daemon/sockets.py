"""Sockets that listen for the web page and the API, and one clear line when they cannot be had."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ouzel.base.errors import CannotListen
from ouzel.daemon.ports import who_listens

UNIX = "unix:"
_BACKLOG = 2048
_UNIX_MODE = 0o660
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "localhost"}  # noqa: S104
"""What stands for all addresses, and one that a browser of this machine can use."""
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@dataclass(frozen=True, slots=True)
class Listening:
    """What `bind` has made."""

    sockets: Sequence[socket.socket]
    address: str
    """For people of this machine: `http://127.0.0.1:8521`, `unix:/run/ouzel.sock`."""
    port: int
    """0 of a socket in the file system."""


@contextmanager
def bind(host: str, port: int) -> Generator[Listening]:
    """Listen until the context ends. Blocking: a name is looked up.

    Args:
        host: an address, a name, or `unix:` and an absolute path. `::` is IPv4 as well, where the system can do that.
        port: 0 takes one that is free, the same for all addresses of a name.
    Raises: CannotListen.
    """
    with ExitStack() as stack:
        if host.startswith(UNIX):
            path = Path(host[len(UNIX) :])
            yield Listening([_bind_unix(stack, path)], f"{UNIX}{path}", 0)
            return
        host = host.removeprefix("[").removesuffix("]")
        sockets = _bind_all(stack, host, port)
        port = sockets[0].getsockname()[1]
        shown = _EVERYWHERE.get(host, host)
        yield Listening(sockets, f"http://{f'[{shown}]' if ':' in shown else shown}:{port}", port)


def _bind_all(stack: ExitStack, host: str, port: int) -> list[socket.socket]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise CannotListen(f"{host!r} is no address of this machine, and no name of one") from None
    sockets: list[socket.socket] = []
    refused: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        taken = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bind_tcp(stack, family, (str(address[0]), taken, *address[2:])))
        except OSError as exc:
            if exc.errno not in _NOT_HERE:
                raise _explained(exc, host, port) from None
            refused = exc  # such as the IPv6 address of localhost where there is no IPv6
    if not sockets:
        raise _explained(refused or OSError(errno.EADDRNOTAVAIL, ""), host, port)
    return sockets


def _bind_tcp(stack: ExitStack, family: int, address: tuple[object, ...]) -> socket.socket:
    door = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        both = address[0] == "::" and socket.has_dualstack_ipv6()
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
    door.bind(address)
    door.listen(_BACKLOG)  # at once: until then somebody else can be bound to the same port
    door.setblocking(False)
    return door


def _bind_unix(stack: ExitStack, path: Path) -> socket.socket:
    if not path.is_absolute():
        raise CannotListen(f"{UNIX}{path} has no absolute path")
    _make_room(path)
    door = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        door.bind(str(path))
        stack.callback(_remove, path, path.stat().st_ino)
        path.chmod(_UNIX_MODE)
        door.listen(_BACKLOG)
    except OSError as exc:
        raise CannotListen(f"cannot listen at {path}: {(exc.strerror or str(exc)).lower()}") from None
    door.setblocking(False)
    return door


def _make_room(path: Path) -> None:
    """Remove a socket at which nobody listens any more. Raises: CannotListen."""
    try:
        mode = path.stat().st_mode
    except OSError:  # it is not there; or what is wrong is told when it is made
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"{path} is a file, and no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            _remove(path, path.stat().st_ino)
            return
        except OSError as exc:
            raise CannotListen(f"{path} cannot be used: {(exc.strerror or str(exc)).lower()}") from None
    raise CannotListen(f"another program listens at {path}")


def _remove(path: Path, inode: int) -> None:
    with suppress(
        OSError
    ):  # it is gone, or its folder is not ours any more: whoever comes next sees that nobody listens
        if path.stat().st_ino == inode:
            path.unlink()


def _explained(exc: OSError, host: str, port: int) -> CannotListen:
    if exc.errno == errno.EADDRINUSE:
        who = who_listens(port)
        return CannotListen(f"port {port} of {host} is taken" + (f" by {who}" if who else ""))
    if exc.errno == errno.EACCES:
        return CannotListen(f"port {port} is for the system: below 1024 it takes root, or CAP_NET_BIND_SERVICE")
    if exc.errno in _NOT_HERE:
        return CannotListen(f"{host} is no address of this machine")
    return CannotListen(f"cannot listen at {host}, port {port}: {os.strerror(exc.errno or 0).lower()}")
