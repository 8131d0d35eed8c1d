"""Where the daemon listens, and what is said when it cannot."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from ouzel.base.errors import CannotListen
from ouzel.daemon import sockets
from ouzel.daemon.ports import who_listens
from ouzel.daemon.sockets import bind


def reached(address: tuple[str, int] | str, family: int = socket.AF_INET) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        return client.connect_ex(address) == 0


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")


def test_a_free_port_is_taken_and_given_back() -> None:
    with bind("127.0.0.1", 0) as listening:
        assert listening.address == f"http://127.0.0.1:{listening.port}"
        assert reached(("127.0.0.1", listening.port))
    assert not reached(("127.0.0.1", listening.port))


def test_all_addresses_are_shown_as_one_that_works() -> None:
    with bind("0.0.0.0", 0) as listening:
        assert listening.address == f"http://127.0.0.1:{listening.port}"


def a_host(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> str:
    """A name of these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]
    monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *_args, **_options: found)
    return "several.test"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_name_is_all_its_addresses_at_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with bind(a_host(monkeypatch, "127.0.0.1", "127.0.0.2"), 0) as listening:
        assert listening.address == f"http://several.test:{listening.port}"
        assert [door.getsockname() for door in listening.sockets] == [
            ("127.0.0.1", listening.port),
            ("127.0.0.2", listening.port),
        ]


def test_of_a_name_the_addresses_that_are_here_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As localhost, which has an IPv6 address where there is no IPv6."""
    with bind(a_host(monkeypatch, "192.0.2.1", "127.0.0.1"), 0) as listening:
        assert [door.getsockname()[0] for door in listening.sockets] == ["127.0.0.1"]


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6(host: str) -> None:
    with bind(host, 0) as listening:
        assert listening.address == f"http://[::1]:{listening.port}"
        assert reached(("::1", listening.port), socket.AF_INET6)


@needs_ipv6
def test_all_of_ipv6_is_ipv4_as_well() -> None:
    with bind("::", 0) as listening:
        assert listening.address == f"http://localhost:{listening.port}"
        assert reached(("127.0.0.1", listening.port))
        assert reached(("::1", listening.port), socket.AF_INET6)


def test_a_port_in_use_is_told_with_who_has_it() -> None:
    with bind("127.0.0.1", 0) as listening:
        who = who_listens(listening.port)
        with pytest.raises(CannotListen) as caught, bind("127.0.0.1", listening.port):
            pass
    assert who is None or f"(process {os.getpid()})" in who
    assert str(caught.value) == f"port {listening.port} of 127.0.0.1 is taken" + (f" by {who}" if who else "")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine"),
        ("no.such.host.invalid", "'no.such.host.invalid' is no address of this machine, and no name of one"),
        ("a" * 80, "is no address of this machine, and no name of one"),
        ("unix:relative.sock", "unix:relative.sock has no absolute path"),
        ("unix:/no/such/folder/x.sock", "cannot listen at /no/such/folder/x.sock: no such file or directory"),
    ],
)
def test_an_address_that_is_not_ours(host: str, words: str) -> None:
    with pytest.raises(CannotListen) as caught, bind(host, 0):
        pass
    assert str(caught.value).endswith(words)


def test_a_port_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> socket.socket:
        raise OSError(errno.EACCES, "")

    monkeypatch.setattr(sockets, "_bind_tcp", refuse)
    with (
        pytest.raises(CannotListen, match="port 80 is for the system: below 1024 it takes root"),
        bind("127.0.0.1", 80),
    ):
        pass


def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "o.sock"
    with bind(f"unix:{path}", 0) as listening:
        assert (listening.address, listening.port) == (f"unix:{path}", 0)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert reached(str(path), socket.AF_UNIX)
        with pytest.raises(CannotListen, match="another program listens at"), bind(f"unix:{path}", 0):
            pass
        assert reached(str(path), socket.AF_UNIX), "the second one left it alone"
    assert not path.exists()


def test_a_socket_that_a_killed_one_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "o.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with bind(f"unix:{path}", 0):
        assert reached(str(path), socket.AF_UNIX)


def test_a_file_is_never_removed(tmp_path: Path) -> None:
    (path := tmp_path / "o.sock").write_text("precious")
    with pytest.raises(CannotListen, match="is a file, and no socket"), bind(f"unix:{path}", 0):
        pass
    assert path.read_text() == "precious"


def test_who_listens_is_read_of_the_system(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    line = "   0: 0100007F:2149 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1\n"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(head + line.format(state="01", inode=1) + line.format(state="0A", inode=77))
    for pid, name, inode in ((12, "other", 1), (34, "nginx", 77)):
        (files := tmp_path / str(pid) / "fd").mkdir(parents=True)
        (files / "3").symlink_to(f"socket:[{inode}]")
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")

    assert who_listens(8521, tmp_path) == "nginx (process 34)"
    assert who_listens(8522, tmp_path) is None
