"""Run in place of a child program, and become it: ties its life to ours, closes all files but the standard ones, sets its
priority (where that is low, also for its disk), restores its signals.

    python launch.py PARENT_PID NICE PROGRAM ARG…

Done here and not between fork and exec of the parent: that process may be large and has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "ppc64le": 273}
"""Numbers of the system call, which no library wraps; for programs of 64 bits."""
IOPRIO_WHO_PROCESS, IOPRIO_IDLE = 1, 3 << 13
PARENT_GONE, NOT_EXECUTABLE = 125, 127


def main(argv: list[str]) -> int:
    parent, nice, program = int(argv[1]), int(argv[2]), argv[3]
    if sys.platform == "linux":
        ctypes.PyDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            return PARENT_GONE
    if nice:
        os.nice(nice)
        if sys.platform == "linux" and sys.maxsize > 1 << 32 and (call := IOPRIO_SET.get(os.uname().machine)):
            ctypes.PyDLL(None).syscall(call, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # uvloop hands on what is marked inheritable
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores these, and what is ignored stays so over an exec
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execv(program, argv[3:])  # noqa: S606
    except OSError as exc:
        sys.stderr.write(f"{program} cannot be run: {exc.strerror}\n")
    return NOT_EXECUTABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv))
