"""What the detectors cost, and what they see.

    python benchmarks/detectors.py              # the share of a default run's time, for each recipe
    python benchmarks/detectors.py --symptoms   # what they look at, in healthy runs and in sick ones

The cost is measured twice: as the difference between steps with and without (blocks of steps that take turns,
medians over the blocks), and directly, as the time of what is computed for the detectors alone. The second is
the steadier number. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import load_data, make_batches
from genlab.experiment.schema import Experiment
from genlab.metrics.diversity import diversity
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.objectives.elbo import active_units
from genlab.recipes import RECIPES, recipe
from genlab.runs.events import Metrics, Warned
from genlab.training.detectors import Watch
from genlab.training.fit import Cadence, Diverged, advance, fit

BLOCK = 20  # steps: one logged step in each, as by default
PEEK = "network.discriminator.norm=none"
RUNS: dict[str, tuple[str, ...]] = {
    "vae": ("vae",),
    "gan": ("gan",),
    "vaegan": ("vaegan",),
    "vae, slow": ("vae", "optimizer.learning_rate=1e-4"),
    "gan, slow": ("gan", "optimizer.learning_rate=2e-4"),
    "R1 + R2": ("gan", "objective.loss=relativistic", "objective.r1=1", "objective.r2=1", PEEK),
    "posterior collapse: β = 50": ("vae", "objective.beta=50"),
    "mode collapse: D stands still": ("gan", "optimizer.discriminator_rate=1e-7"),
    "mode collapse: no norms": ("gan", "objective.loss=hinge", "optimizer.beta1=0.9", PEEK,
                                "network.decoder.norm=none"),
    "divergence: VAE": ("vae", "optimizer.learning_rate=0.01"),
    "divergence: GAN": ("gan", "optimizer.learning_rate=1"),
    "D has won": ("gan", "objective.discriminator_steps=5", "optimizer.learning_rate=1e-5",
                  "optimizer.discriminator_rate=2e-3"),
}  # fmt: skip
SEEN = ("kl", "active_units", "diversity", "discriminator_loss")


@contextmanager
def without() -> Iterator[None]:
    """Inside, nothing is computed for the detectors."""
    nothing = torch.zeros(())
    with (
        patch("genlab.objectives.adversarial.diversity", lambda *_: nothing),
        patch("genlab.objectives.elbo.active_units", lambda *_: {}),
        patch("genlab.objectives.hybrid.active_units", lambda *_: {}),
    ):
        yield


class Bench:
    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.state = build_state(experiment, build_model(experiment, dataset.shape))
        self.objective = build_objective(experiment.objective)
        self.batches = make_batches(experiment, dataset, self.objective)
        self.watch = Watch()

    def block(self, watched: bool) -> float:
        """Seconds of a block of steps, the logged one included."""
        began = time.perf_counter()
        for _ in range(BLOCK):
            values = advance(self.state, self.objective, self.batches, 1_000_000, 0)
        event = Metrics(self.state.step, {key: float(value) for key, value in values.items()}, 0.0, 0)
        if watched:
            self.watch.see(event)
        self.values = event
        return time.perf_counter() - began


def microseconds(call: Callable[[], object], times: int = 500) -> float:
    """The median time of a call."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return 1e6 * statistics.median(spent)


def cost(name: str, dataset: Dataset, rounds: int, threads: int | None) -> None:
    experiment = recipe(name, *([f"training.threads={threads}"] if threads else []))
    torch.set_num_threads(experiment.training.threads)
    bench = Bench(experiment, dataset)
    for _ in range(3):
        bench.block(True)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        spent[True].append(bench.block(True))
        with without():
            spent[False].append(bench.block(False))
    watched, plain = (statistics.median(spent[key]) for key in (True, False))
    images = bench.batches(0).images
    model, direct = bench.state.model, 0.0
    if isinstance(model, VAE | VAEGAN):
        q = model.encode(images)
        direct += BLOCK * microseconds(lambda: active_units(model.prior, q))
    if isinstance(model, GAN | VAEGAN):
        fake = images.flip(0)
        direct += BLOCK * microseconds(lambda: diversity(images, fake))
    direct += microseconds(lambda: bench.watch.see(bench.values))
    apart, share = 100 * (watched / plain - 1), 100 * direct / 1e6 / plain
    step = 1e3 * plain / BLOCK
    print(f"{name:<8} {step:7.2f} ms a step   with − without {apart:6.2f} %   directly {share:5.2f} %")


def symptoms(name: str, settings: tuple[str, ...], dataset: Dataset, steps: int) -> None:
    first, *assignments = settings
    bench = Bench(recipe(first, *assignments), dataset)
    looks: list[Metrics] = []
    warned: list[Warned] = []
    end = ""
    try:
        for event in fit(bench.state, bench.objective, bench.batches, steps, 0, cadence=Cadence()):
            if isinstance(event, Metrics):
                looks.append(event)
            elif isinstance(event, Warned):
                warned.append(event)
    except Diverged:
        end = "; lost"
    print(f"\n{name}: {looks[-1].step} steps{end}")
    for key in SEEN:
        late = sorted(look.values[key] for look in looks if key in look.values and look.step > steps / 2)
        if late:
            print(f"  {key:<20} {late[0]:10.3f} … {statistics.median(late):10.3f} … {late[-1]:10.3f}")
    for line in [each.line for each in warned] or ["no warning"]:
        print(f"  {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--symptoms", action="store_true")
    parser.add_argument("--steps", type=int, default=600, help="of each run of --symptoms")
    parser.add_argument("--rounds", type=int, default=30, help="pairs of blocks")
    parser.add_argument("--threads", type=int, help="by default the recipes'")
    parser.add_argument("--only", default="", help="runs whose name contains this")
    chosen = parser.parse_args()
    dataset = load_data(recipe("vae"))
    if not chosen.symptoms:
        for name in ("vae", "gan", "vaegan"):
            if chosen.only in name and name in RECIPES:
                cost(name, dataset, chosen.rounds, chosen.threads)
        return
    print("least … median … largest of the logged steps in the second half; then what was said")
    for name, settings in RUNS.items():
        if chosen.only in name:
            symptoms(name, settings, dataset, chosen.steps)


if __name__ == "__main__":
    main()
