"""A worker in a process of its own, on the images of the tests: what can't be seen from within."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from genlab.data.dataset import Dataset, Images
from genlab.runs.store import Run

PATIENCE = 60.0  # seconds after which what does not come is a failure
CHILD = """
import sys
from pathlib import Path
import numpy as np
from genlab.data.dataset import Dataset, Images
from genlab.experiment.runner import work
from genlab.runs.store import Run

arrays = np.load(sys.argv[2])
dataset = Dataset("tiny", Images(arrays["train"]), Images(arrays["test"]))
for event in work(Run(Path(sys.argv[1])), dataset=dataset):
    pass
"""


def unlabelled(dataset: Dataset) -> Dataset:
    """As the worker has it."""
    return Dataset("tiny", Images(dataset.train.pixels), Images(dataset.test.pixels))


@contextmanager
def worker(run: Run, dataset: Dataset, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that trains `run`; killed in the end, if it still lives."""
    pixels = folder / "pixels.npz"
    np.savez(pixels, train=dataset.train.pixels, test=dataset.test.pixels)
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(run.path), str(pixels)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)
