"""The process that trains: what it runs on, and how it is asked to stop."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genlab import beforehand
from genlab.errors import UserError
from genlab.experiment.acceleration import check_means
from genlab.experiment.schema import Experiment
from genlab.ranks import place
from genlab.signals import HANGUP, heeded, silence


def machine() -> dict[str, Any]:
    """What a run was computed on: all that its last bit may depend on, besides its config."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "genlab": genlab(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
        "processes": place().world,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }


def processor() -> str:
    """Its model, where the system names it."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text("utf-8", "replace").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def genlab() -> str:
    try:
        return version("genlab")
    except PackageNotFoundError:  # imported from a checkout that was not installed
        return "from source"


def settle_here(experiment: Experiment) -> Experiment:
    """`experiment` as this process runs it: its threads set, and on the device that is its own among those of
    several processes. Raises UserError where the machine has no such device, or its batch can't be shared."""
    check_shares(experiment, place().world)
    training = experiment.training
    use_threads(max(1, training.threads // place().local_world))
    check_device(training.device)
    check_means(training, place().world)
    if place().world == 1 or training.device == "cpu":
        return experiment
    if training.device != "cuda":
        raise UserError(
            f"several processes can't share the device {training.device}: set training.device=cuda, and each "
            "takes a GPU of its own, or cpu"
        )
    if place().local_world > torch.cuda.device_count():
        raise UserError(
            f"{place().local_world} processes need as many GPUs and this machine offers "
            f"{torch.cuda.device_count()}: start one process for each"
        )
    torch.cuda.set_device(place().local_rank)
    own = training.model_copy(update={"device": f"cuda:{place().local_rank}"})
    return experiment.model_copy(update={"training": own})


def check_shares(experiment: Experiment, processes: int) -> None:
    """Refuse a batch that does not fall into equal parts, packs kept whole."""
    size = experiment.training.batch_size
    pack = 1 if experiment.family == "vae" else experiment.network.discriminator.pack
    if size % (processes * pack):
        whole = -(-size // (processes * pack)) * processes * pack
        packs = f" of whole packs of {pack}" if pack > 1 else ""
        raise UserError(
            f"a batch of {size} images can't be shared by {processes} processes in equal parts{packs}: set "
            f"training.batch_size={whole}"
        )


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
    """Inside, the first SIGINT or SIGTERM, or a terminal that is closed, sets the event instead of ending the
    process (`genlab.signals`). Only a main thread can listen; elsewhere the event is never set. In a rank
    that `--devices` started, the end of standard input sets it."""
    stopped = threading.Event()
    if os.environ.get("GENLAB_LAUNCHED"):
        threading.Thread(target=wait_for_end_of_input, args=(stopped,), daemon=True).start()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    with heeded(lambda _: stopped.set()):
        yield stopped


def wait_for_end_of_input(stopped: threading.Event) -> None:
    while said := os.read(0, 1):  # not through sys.stdin, whose lock this thread would still hold at the end
        if said == HANGUP:
            silence()
    stopped.set()
