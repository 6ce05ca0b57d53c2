"""The process that trains: what it runs on, and how it is asked to stop."""

from __future__ import annotations

import platform
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from genlab import beforehand
from genlab.errors import UserError


def machine() -> dict[str, Any]:
    """What a figure of this run was measured on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }


def check_device(device: str) -> None:
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("this machine offers no CUDA device to torch; leave out --device, or `genlab doctor`")
    if device == "mps" and not torch.backends.mps.is_available():
        raise UserError("this machine offers no MPS device to torch; leave out --device, or `genlab doctor`")


def use_threads(count: int) -> None:
    """Compute on `count` threads from here on."""
    torch.set_num_threads(count)
    if count == 1:
        beforehand.release_thread()


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Inside, the first SIGINT or SIGTERM sets the event instead of ending the process; a second one ends
    it. Only a main thread can listen; elsewhere the event is never set."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: object) -> None:
        stopped.set()
        for each, handler in former.items():
            signal.signal(each, handler)

    for number in former:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
