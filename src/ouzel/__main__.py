"""`ouzel`, and `python -m ouzel`: what happens before the command line is loaded."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = 130


def _leave(_signal: int, _frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)


def _nothing_to_tell(_signal: int, _frame: FrameType | None) -> None:
    """Who asks what goes on before there is anything, or after its end, ends nothing by that."""


def main() -> None:
    """Run the command. A signal that comes while it is still being loaded ends it without a word: nothing was begun."""
    signal.signal(signal.SIGUSR1, _nothing_to_tell)  # a handler, as what is ignored would be so in children, too
    at_work = signal.getsignal(signal.SIGINT)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    from ouzel.cli.main import main as run

    signal.signal(signal.SIGINT, at_work)
    sys.exit(run())


if __name__ == "__main__":
    main()
