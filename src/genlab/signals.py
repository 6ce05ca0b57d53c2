"""The signals that end a process, where it has something to finish first. Imports no torch."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
HANGUP = b"h"  # what `--devices` says to a rank whose terminal was closed


@contextmanager
def heeded(stop: Callable[[int], None]) -> Iterator[None]:
    """Inside, the first of `ENDING` calls `stop` with its number, and a second ends the process as ever. But
    a hangup, which comes when the terminal is closed, and often twice, for a shell passes it on, calls `stop`
    each time and never ends the process; what is written from then on goes nowhere. Where hangups are ignored
    (`nohup`), they stay so. For the main thread.
    """
    former = {number: signal.getsignal(number) for number in ENDING}
    former = {
        number: handler
        for number, handler in former.items()
        if not (hung_up(number) and handler == signal.SIG_IGN)
    }

    def heed(number: int, frame: object) -> None:
        if hung_up(number):
            silence()
        for each, handler in former.items():
            if not hung_up(each):
                signal.signal(each, handler)
        stop(number)

    for number in former:
        signal.signal(number, heed)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def hung_up(number: int) -> bool:
    """Whether the signal `number` says that the terminal was closed."""
    return number == getattr(signal, "SIGHUP", None)


def silence() -> None:
    """Let what is written to a terminal go nowhere: it is gone, and every write to it would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        with suppress(OSError):  # it may be closed
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere, descriptor)
    os.close(nowhere)
