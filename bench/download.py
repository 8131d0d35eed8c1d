"""`ouzel download` beside curl on one connection, aria2c -j16 + cat, and yt-dlp -N 16, in alternating rounds on one machine.

    .venv/bin/python bench/download.py --case clear --rounds 3

Cases: `clear`, `tls`, `aes` (segments of 4 MB from nginx on tmpfs), `limited` (4 MB/s for each connection), `latency` (120
segments of 500 kB, each answer 60 ms late). CPU is user and system time of the whole process with its children, start-up
included; memory is the highest resident set of a process; bytes written are what the kernel counted of all writes,
pipes included. All work on tmpfs, whose pages are at hand before it begins.
The row "one small segment" is our own command with nothing to do: what it takes to be there. What every tool made is compared by
its digest.

nginx, curl, aria2c, openssl and yt-dlp are to be on PATH, or are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from live.memory import at_hand

HERE = Path(__file__).parent
PACKET = 188
KEY = bytes(range(16))
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; keepalive_requests 1000000; client_body_temp_path {folder}/tmp;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; {more} }}
  server {{ listen 127.0.0.1:{tls} ssl; root {folder}/www;
            ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; }}
}}
"""


@dataclass(frozen=True)
class Measured:
    wall_s: float
    cpu_s: float
    rss_mb: float
    written: int
    digest: str


@dataclass(frozen=True)
class Case:
    name: str
    segments: int
    bytes: int
    scheme: str = "http"
    encrypted: bool = False
    limit: str = ""
    late_ms: int = 0


CASES = {
    "clear": Case("clear", 500, 4159688),
    "tls": Case("tls", 250, 4159688, scheme="https"),
    "aes": Case("aes", 500, 4159688, encrypted=True),
    "limited": Case("limited", 250, 4159688, limit="limit_rate 4m;"),
    "latency": Case("latency", 120, 500080, late_ms=60),
}


def run(args: list[str], folder: Path, out: str) -> Measured:
    """In a child of its own. What the kernel counted of it holds for all that it has started and waited for, too."""
    began = time.monotonic()
    with (folder / "out.log").open("wb") as log:
        there = {**os.environ, "PYTHONPATH": str(HERE.parent / "src")}
        child = subprocess.Popen(args, cwd=folder, stdout=log, stderr=log, env=there)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        wall_s = time.monotonic() - began
        written = int(Path(f"/proc/{child.pid}/io").read_text().split("wchar: ")[1].split()[0])
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{args[0]} ended with {child.returncode}: {(folder / 'out.log').read_text()[-500:]}")
    with next(folder.glob(out)).open("rb") as made:
        digest = hashlib.file_digest(made, "sha1").hexdigest()
    return Measured(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, written, digest)


def prepare(case: Case, www: Path) -> None:
    www.mkdir()
    block = os.urandom(PACKET * 1000)
    segment = bytearray((block * (case.bytes // len(block) + 1))[: case.bytes])
    segment[::PACKET] = b"\x47" * len(segment[::PACKET])
    plain = bytes(segment)
    if case.encrypted:
        (www / "key.bin").write_bytes(KEY)
        args = ["openssl", "enc", "-aes-128-cbc", "-K", KEY.hex(), "-iv", "0" * 32]
        plain = subprocess.run(args, input=plain, check=True, capture_output=True).stdout
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:8", "#EXT-X-PLAYLIST-TYPE:VOD"]
    if case.encrypted:
        lines.append('#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x' + "0" * 32)
    (www / "one.ts").write_bytes(plain)
    for number in range(case.segments):
        (www / f"s{number:04d}.ts").hardlink_to(www / "one.ts")
        lines += ["#EXTINF:8.0,", f"s{number:04d}.ts"]
    (www / "small.ts").write_bytes(segment[: PACKET * 100])
    (www / "small.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8.0,\nsmall.ts\n#EXT-X-ENDLIST\n")
    (www / "index.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def serving(case: Case, folder: Path) -> Generator[str]:
    port, tls = free_ports()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    if case.late_ms:
        args = [sys.executable, __file__, "--serve", folder / "www", port, case.late_ms]
        server = subprocess.Popen([str(each) for each in args])
    else:
        conf = folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, port=port, tls=tls, more=case.limit))
        folder.chmod(0o755)
        server = subprocess.Popen(["nginx", "-c", str(conf)])
    time.sleep(1)
    try:
        yield f"{case.scheme}://127.0.0.1:{tls if case.scheme == 'https' else port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def warm(size: int) -> Generator[None]:
    """Memory is at hand; held by a process of its own, because the peak of a child begins with that of its parent."""
    holder = subprocess.Popen(
        [sys.executable, __file__, "--hold", str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin
    assert holder.stdout
    holder.stdout.read(1)
    try:
        yield
    finally:
        holder.communicate()


def hold(size: str) -> None:
    with at_hand(int(size)):
        print("!", end="", flush=True)
        sys.stdin.read()


def late(root: str, port: str, late_ms: str) -> None:
    """A server whose every answer, and every new connection, takes its time."""
    import asyncio

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(int(late_ms) / 1000)
        try:
            while line := await reader.readline():
                name = line.split()[1].decode().lstrip("/")
                while (await reader.readline()).strip():
                    pass
                await asyncio.sleep(int(late_ms) / 1000)
                data = (Path(root) / name).read_bytes()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
                for start in range(0, len(data), 40_000):  # 4 MB/s for each connection
                    writer.write(data[start : start + 40_000])
                    await writer.drain()
                    await asyncio.sleep(0.01)
        except (ConnectionError, IndexError):
            pass
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", int(port))
        await server.serve_forever()

    asyncio.run(main())


def tools(case: Case, base: str, folder: Path) -> dict[str, tuple[list[str], str]]:
    urls = [f"{base}/s{number:04d}.ts" for number in range(case.segments)]
    (folder / "curl.txt").write_text("".join(f'url = "{url}"\n' for url in urls))
    (folder / "aria.txt").write_text("".join(f"{url}\n" for url in urls))
    playlist = f"{base}/index.m3u8"
    ouzel = [sys.executable, "-m", "ouzel", "download", playlist, "-o", "o", "--profile", "fast", "-q", "--insecure"]
    aria = "aria2c -q -j16 -x1 -s1 --file-allocation=none --check-certificate=false -d a -i aria.txt"
    aria = f"mkdir a && {aria} && cat a/*.ts > joined.ts"
    yt = [sys.executable, "-m", "yt_dlp", "-q", "--no-warnings", "-N", "16", "--fixup", "never", "--no-check-certificates",
          "--downloader", "native", "-o", "y.ts", playlist]  # fmt: skip
    found = {
        "ouzel": (ouzel, "o/*.ts"),
        "curl, 1 connection": (["sh", "-c", "curl -sk -K curl.txt > c.ts"], "c.ts"),
        "aria2c -j16 + cat": (["sh", "-c", aria], "joined.ts"),
        "yt-dlp -N 16": (yt, "y.ts"),
    }
    small = [each.replace("index.m3u8", "small.m3u8") for each in ouzel]
    found["ouzel, one small segment"] = (small, "o/*.ts")
    return {name: each for name, each in found.items() if shutil.which(each[0][0])}


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        late(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--hold"]:
        hold(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, default="clear")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", nargs="*", default=[], help="Tools to leave out.")
    given = parser.parse_args()
    case = CASES[given.case]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        folder = Path(place)
        prepare(case, folder / "www")
        rounds: list[dict[str, Measured]] = []
        with serving(case, folder) as base, warm(3 * case.segments * case.bytes):
            for number in range(given.rounds):
                rounds.append({})
                for name, (args, out) in tools(case, base, folder).items():
                    if any(name.startswith(each) for each in given.without):
                        continue
                    work = folder / "work"
                    work.mkdir()
                    for listing in ("curl.txt", "aria.txt"):
                        shutil.copy(folder / listing, work)
                    measured = rounds[-1][name] = run(args, work, out)
                    shutil.rmtree(work)
                    print(number, name, measured, flush=True)
    apart = ("curl", "aria2c") if case.encrypted else ()  # they have what is encrypted
    whole = [
        each
        for one in rounds
        for name, each in one.items()
        if "small" not in name and not (apart and name.startswith(apart))
    ]
    if len({each.digest for each in whole}) != 1:
        raise SystemExit("what the tools have made differs")
    show(case, rounds)


def show(case: Case, rounds: list[dict[str, Measured]]) -> None:
    gigabytes = case.segments * case.bytes / 1e9
    print(f"\n{case.name}: {gigabytes:.2f} GB, {len(rounds)} rounds, load {os.getloadavg()[0]:.1f}")
    print("| tool | CPU s/GB | wall s | peak MB | written | ouzel's CPU / its | ouzel's wall / its |")
    print("|---|---|---|---|---|---|---|")
    for name in rounds[0]:
        each = [one[name] for one in rounds]
        ours = [one["ouzel"] for one in rounds]
        cpu = statistics.median(o.cpu_s / e.cpu_s for o, e in zip(ours, each, strict=True))
        wall = statistics.median(o.wall_s / e.wall_s for o, e in zip(ours, each, strict=True))
        written = statistics.median(e.written for e in each) / (gigabytes * 1e9)
        cpu_s, wall_s = statistics.median(e.cpu_s for e in each), statistics.median(e.wall_s for e in each)
        rss_mb = statistics.median(e.rss_mb for e in each)
        print(
            f"| {name} | {cpu_s / gigabytes:.2f} | {wall_s:.2f} | {rss_mb:.0f} | {written:.2f} | {cpu:.2f} | {wall:.2f} |"
        )


if __name__ == "__main__":
    main()
