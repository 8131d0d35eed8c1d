"""`ouzel`, and `python -m ouzel`: what happens before the command line is loaded."""

from __future__ import annotations

import os
import signal
import sys

_INTERRUPTED = 130


def main() -> None:
    """Run the command. A signal that comes while it is still being loaded ends it without a word: nothing was begun."""
    at_work = signal.getsignal(signal.SIGINT)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(_INTERRUPTED))
    from ouzel.cli.main import main as run

    signal.signal(signal.SIGINT, at_work)
    sys.exit(run())


if __name__ == "__main__":
    main()
