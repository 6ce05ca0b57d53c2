"""Two processes that share a batch hear of a request as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from two_ranks import side_by_side
from working import unlabelled

from genlab.data.dataset import Dataset
from genlab.experiment.runner import begin
from genlab.experiment.schema import Experiment
from genlab.runs.events import Changed, Metrics
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("runs")]

# Rank 0 asks, at steps that TIMES names; both then say which weights they have come to.
CHILD = """
import hashlib, json, sys, threading
from pathlib import Path
import numpy as np
from genlab import ranks
from genlab.data.dataset import Dataset, Images
from genlab.experiment import runner
from genlab.runs.events import Metrics
from genlab.runs.store import Run

states = []
build = runner.build_state
runner.build_state = lambda *given: states.append(build(*given)) or states[-1]

def pause(run):
    run.request_pause()
    for _ in range(3):
        run.request_step()
    threading.Timer(2.0, run.request_go_on).start()

asks = {
    "rate": lambda run: run.request_change("learning_rate", 0.02),
    "judge": lambda run: run.request_change("discriminator_rate", 0.001),
    "pause": pause,
    "stop": Run.request_stop,
}
run, arrays = Run(Path(sys.argv[1])), np.load(sys.argv[2])
times = json.loads(sys.argv[3])
dataset = Dataset("tiny", Images(arrays["train"]), Images(arrays["test"]))
with ranks.joined():
    for event in runner.work(run, dataset=dataset):
        if isinstance(event, Metrics) and ranks.leads():
            for name in [name for name, step in times.items() if step == event.step]:
                asks[name](run)
    digest = hashlib.sha256()
    for tensor in [*states[0].model.parameters(), *states[0].model.buffers()]:
        digest.update(tensor.detach().numpy().tobytes())
    (run.path / f"rank-{ranks.place().rank}").write_text(digest.hexdigest())
"""


def both(run: Run, pixels: Path, times: str) -> None:
    """Train `run` by two processes; a deadlock fails. Their weights are the same ones."""
    side_by_side("-c", CHILD, str(run.path.resolve()), str(pixels), times)
    first, second = ((run.path / f"rank-{rank}").read_text() for rank in range(2))
    assert first == second


def test_two_processes_take_one_change_at_one_step(tiny: Tiny, dataset: Dataset, tmp_path: Path) -> None:
    import numpy as np

    pixels = tmp_path / "pixels.npz"
    np.savez(pixels, train=dataset.train.pixels, test=dataset.test.pixels)
    experiment = tiny("gan", "training.steps=12", "training.checkpoint_every=100")
    plain, changed, paused = (begin(experiment, dataset=unlabelled(dataset)) for _ in range(3))
    both(plain, pixels, "{}")
    both(changed, pixels, '{"rate": 4, "judge": 7, "stop": 9}')
    assert changed.status()["step"] == 9
    both(changed, pixels, "{}")
    both(paused, pixels, '{"rate": 4, "judge": 7, "pause": 8}')

    digests = [(run.path / "rank-0").read_text() for run in (plain, changed, paused)]
    assert digests[0] != digests[1] == digests[2]
    expected = [Changed(4, "learning_rate", 0.02), Changed(7, "discriminator_rate", 0.001)]
    assert changed.all(Changed) == paused.all(Changed) == expected
    moment = paused.moment()
    assert moment is not None
    assert (moment["step"], moment["part"], moment["next"]) == (10, "discriminator", "generator")
    (logged,) = [event.values for event in paused.all(Metrics) if event.step == 10]
    assert moment["values"].items() <= logged.items()
