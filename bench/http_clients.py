"""What carries media cheapest: our own reader on asyncio, the same on uvloop, or libcurl?

    python bench/http_clients.py            # some ten minutes; tables on standard output
    python bench/http_clients.py --quick    # one short round, to see that it works

Needs Linux, nginx on PATH and the packages of the `bench` and `test` groups. nginx serves (one worker, files in memory,
sendfile); each run is a fresh client process, and the variants take turns, so that whatever else the machine does meets all of
them. Counted are the CPU seconds, user and system, of the client process between the first request and the last byte, and its
resident memory. The consumer counts bytes and does nothing else. Tables give medians, and medians of the ratios in a round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import trustme

from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Http1Client, Limits, Request, Take, dial
from ouzel.system.http.links import Link

BLOB_BYTES = 64 * 1000 * 1000
PACED_BYTES_PER_S = 500_000
PACED_CONNECTIONS = 100
WARM_S = 3.0
REFERENCE = "asyncio"
VARIANTS = (REFERENCE, "uvloop", "pycurl", "pycurl+uvloop")
LOOP_TLS = ("asyncio, the loop's TLS", "uvloop, the loop's TLS")
"""Our reader over the TLS layer that the event loop brings along; asked for by `--loop-tls`."""
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem; ssl_protocols TLSv1.3;
    root {folder}/www;
    location /paced/ {{ alias {folder}/www/; limit_rate {rate}; sendfile_max_chunk 64k; }}
  }}
}}
"""


@dataclass(frozen=True)
class Case:
    """One thing to measure. `paced`: bodies that come at 4 Mb/s; otherwise as fast as they can."""

    scheme: str
    connections: int
    paced: bool

    @property
    def name(self) -> str:
        what = "paced at 4 Mb/s" if self.paced else "as fast as it goes"
        return f"{self.scheme}, {self.connections} connection{'s' if self.connections > 1 else ''}, {what}"


@dataclass(frozen=True)
class Measured:
    transferred_bytes: int
    cpu_s: float
    wall_s: float
    grown_bytes: int
    """Resident memory with the connections open, less what it was after one small request."""

    @property
    def cpu_s_per_gb(self) -> float:
        return self.cpu_s / self.transferred_bytes * 1e9


CASES = tuple(
    Case(scheme, connections, paced)
    for connections, paced in ((1, False), (16, False), (PACED_CONNECTIONS, True))
    for scheme in ("http", "https")
)


# The client process


class Meter:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.total = 0

    def on_answer(self, answer: Answer) -> Take:
        assert answer.status == 200
        return self.take

    def take(self, data: memoryview) -> None:
        self.total += len(data)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


Get = Callable[[str], Awaitable[Answer]]


async def measure_fast(get: Get, meter: Meter, base: str, connections: int, total_bytes: int) -> Measured:
    async def worker(count: int) -> None:
        for _ in range(count):
            await get(f"{base}/blob")

    before = resident_bytes()
    cpu, wall = time.process_time(), time.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(connections):
            tasks.start_soon(worker, max(1, total_bytes // BLOB_BYTES // connections))
    return Measured(meter.total, time.process_time() - cpu, time.monotonic() - wall, resident_bytes() - before)


async def measure_paced(get: Get, meter: Meter, base: str, connections: int, seconds: float) -> Measured:
    before = resident_bytes()
    async with anyio.create_task_group() as tasks:
        for _ in range(connections):
            tasks.start_soon(get, f"{base}/paced/blob")
            await anyio.sleep(WARM_S / 2 / connections)  # as channels do, they do not all begin at once
        await anyio.sleep(WARM_S / 2)
        total, cpu, wall = meter.total, time.process_time(), time.monotonic()
        await anyio.sleep(seconds)
        measured = Measured(
            meter.total - total, time.process_time() - cpu, time.monotonic() - wall, resident_bytes() - before
        )
        tasks.cancel_scope.cancel()
    return measured


class LoopTls:
    """In place of `TlsLink`: the handshake hands the link over to the loop's own TLS layer."""

    def __init__(self, lower: Link, context: ssl.SSLContext, server_name: str, _plain: memoryview) -> None:
        self._lower = lower
        self._context = context
        self._server_name = server_name

    async def handshake(self) -> None:
        loop, below = asyncio.get_running_loop(), self._lower
        transport = await loop.start_tls(below._transport, below, self._context, server_hostname=self._server_name)
        below.connection_made(transport)

    def __getattr__(self, name: str) -> object:
        return getattr(self._lower, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "receiver":
            self._lower.receiver = value
        else:
            super().__setattr__(name, value)


async def run_client(variant: str, case: Case, base: str, ca_file: Path, amount: float) -> Measured:
    meter = Meter()
    limits = Limits(stall_s=30)
    if variant.startswith("pycurl"):
        from http_clients_pycurl import CurlClient

        client = CurlClient(ca_file=ca_file)
    else:
        if variant in LOOP_TLS:
            dial.TlsLink = LoopTls
        client = Http1Client(ca_file=ca_file)

    async def get(url: str) -> Answer:
        return await client.stream(Request(url, scope=Scope.anywhere(), limits=limits), meter.on_answer)

    async with client:
        await get(f"{base}/small")  # what is loaded and made once is not counted
        meter.total = 0
        if not case.paced:
            return await measure_fast(get, meter, base, case.connections, int(amount))
        return await measure_paced(get, meter, base, case.connections, amount)


def client_main(variant: str, arguments: str) -> None:
    given = json.loads(arguments)
    work = run_client(variant, Case(**given["case"]), given["base"], Path(given["ca_file"]), given["amount"])
    if "uvloop" in variant:
        import uvloop

        measured = uvloop.run(work)
    else:
        measured = asyncio.run(work)
    print(json.dumps(asdict(measured)))


# The bench


@dataclass(frozen=True)
class Origin:
    folder: Path
    ports: dict[str, int]

    def base(self, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self.ports[scheme]}"


@contextmanager
def origin() -> Iterator[Origin]:
    """nginx with a blob in memory, on two free ports."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        sys.exit("nginx is not on PATH (Debian: apt-get install nginx-light)")
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="bench", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)  # its worker may be another user
        (folder / "www").mkdir()
        (folder / "www" / "blob").write_bytes(os.urandom(BLOB_BYTES))
        (folder / "www" / "small").write_bytes(b"hello")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        ports = dict(zip(("http", "https"), free_ports(2), strict=True))
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, rate=PACED_BYTES_PER_S, **ports))
        with subprocess.Popen([nginx, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL) as server:
            try:
                wait_for(ports["http"], server)
                yield Origin(folder, ports)
            finally:
                server.terminate()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit("nginx did not start")


def measure(variant: str, case: Case, where: Origin, amount: float) -> Measured:
    arguments = {
        "case": asdict(case),
        "base": where.base(case.scheme),
        "ca_file": str(where.folder / "ca.pem"),
        "amount": amount,
    }
    done = subprocess.run(
        [sys.executable, __file__, "--client", variant, json.dumps(arguments)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=120,
    )
    return Measured(**json.loads(done.stdout))


def versions() -> str:
    """What decides the figures beside our own code: above all whose OpenSSL, and how old."""
    import pycurl
    import uvloop

    python = f"Python {platform.python_version()} with {ssl.OPENSSL_VERSION}"
    return f"{python}; uvloop {uvloop.__version__}; {pycurl.version}; {platform.platform()}; {os.cpu_count()} cores\n"


def table(case: Case, rounds: list[dict[str, Measured]]) -> str:
    lines = [
        f"### {case.name}",
        "",
        f"| variant | CPU s/GB (each round) | ratio to {REFERENCE} | MB/s | memory grown, kB per connection |",
        "| --- | --- | --- | --- | --- |",
    ]
    for variant in rounds[0]:
        runs = [round_[variant] for round_ in rounds]
        costs = [run.cpu_s_per_gb for run in runs]
        ratios = [round_[variant].cpu_s_per_gb / round_[REFERENCE].cpu_s_per_gb for round_ in rounds]
        speed = statistics.median(run.transferred_bytes / run.wall_s / 1e6 for run in runs)
        grown = statistics.median(run.grown_bytes / case.connections / 1e3 for run in runs)
        each = ", ".join(f"{cost:.2f}" for cost in costs)
        lines.append(
            f"| {variant} | **{statistics.median(costs):.2f}** ({each}) "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {speed:.0f} | {grown:.0f} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5, help="rounds for each case (default 5)")
    options.add_argument("--gigabytes", type=float, default=1.0, help="for each fast run (default 1)")
    options.add_argument("--seconds", type=float, default=6.0, help="for each paced run (default 6)")
    options.add_argument("--only", default="", help="run the cases whose name has this in it")
    options.add_argument(
        "--loop-tls", action="store_true", help="compare our TLS layer with the loops' own, and nothing else"
    )
    options.add_argument("--quick", action="store_true", help="one short round")
    options.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.client:
        client_main(*given.client)
        return
    if given.quick:
        given.rounds, given.gigabytes, given.seconds = 1, 0.2, 1.0
    variants = (REFERENCE, "uvloop", *LOOP_TLS) if given.loop_tls else VARIANTS
    if given.loop_tls:
        given.only = "https"
    print(versions(), flush=True)
    with origin() as where:
        for case in (case for case in CASES if given.only in case.name):
            amount = given.seconds if case.paced else given.gigabytes * 1e9
            rounds: list[dict[str, Measured]] = []
            for number in range(given.rounds):
                turn = variants if number % 2 == 0 else variants[::-1]
                measured = {variant: measure(variant, case, where, amount) for variant in turn}
                rounds.append({variant: measured[variant] for variant in variants})
            print(table(case, rounds), flush=True)


if __name__ == "__main__":
    main()
