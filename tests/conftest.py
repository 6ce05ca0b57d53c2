"""What many tests stand on: one thread, a data set of 8×8 images, experiments that train in milliseconds.

`experiment` is the catalogue that the laws hold for: every recipe, loss, penalty, norm and kind of
observation. A new entry of RECIPES, LOSSES or NORMS is tested on arrival.
"""

from __future__ import annotations

import os
import signal

# Before torch: two test processes share two cores, on which idle threads that spin starve the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.functional.adversarial import LOSSES
from genlab.nn.norms import NORMS
from genlab.recipes import RECIPES
from genlab.runs.store import Run

import small  # isort: skip

# A shell's background job ignores these, and so would every process that a test starts and means to stop.
for name in ("SIGINT", "SIGHUP"):
    if (number := getattr(signal, name, None)) and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)

NO_NORM = "network.discriminator.norm=none"

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    **{f"recipe-{name}": (name,) for name in RECIPES},
    **{f"gan-{loss}": ("gan", f"objective.loss={loss}") for loss in LOSSES},
    **{f"vaegan-{loss}": ("vaegan", f"objective.loss={loss}") for loss in LOSSES},
    **{
        f"vae-{norm}": ("vae", "network.encoder.kind=conv", "network.encoder.blocks=1",
                        "network.decoder.blocks=1", f"network.encoder.norm={norm}",
                        f"network.decoder.norm={norm}")
        for norm in NORMS
    },
    "vae-continuous-bernoulli": ("vae", "observation.kind=continuous-bernoulli"),
    "vae-gaussian": ("vae", "observation.kind=gaussian"),
    "vae-discretised-logistic": ("vae", "observation.kind=discretised-logistic"),
    "vae-gaussian-learned": ("vae", "observation.kind=gaussian", "observation.learn_sigma=true"),
    "vae-beta-warmup": ("vae", "objective.beta=4", "objective.warmup_steps=5", "optimizer.final=0"),
    "vae-cyclic-free-bits": ("vae", "objective.warmup=cyclic", "objective.warmup_steps=2",
                             "objective.free_bits=0.1"),
    "vae-dense": ("vae", "network.decoder.kind=mlp", "network.encoder.depth=2"),
    "wgan-gp": ("gan", "objective.loss=wasserstein", "objective.wasserstein_penalty=10",
                "objective.discriminator_steps=5", "optimizer.beta1=0", NO_NORM),
    "r1-r2": ("gan", "objective.loss=relativistic", "objective.r1=1", "objective.r2=1", "optimizer.beta1=0",
              "network.discriminator.norm=group"),
    "spectral": ("gan", "objective.loss=hinge", "network.discriminator.spectral=true", NO_NORM,
                 "network.discriminator.blocks=1"),
    "spectral-r1": ("gan", "network.discriminator.spectral=true", "objective.r1=1", NO_NORM,
                    "optimizer.discriminator_rate=1e-4"),
    "vaegan-spectral-r1": ("vaegan", "network.discriminator.spectral=true", "objective.r1=0.5", NO_NORM,
                           "observation.kind=gaussian", "observation.learn_sigma=true"),
    "vae-flow": ("vae", "network.prior.kind=flow"),
    "vae-score": ("vae", "objective.gradient=score"),
    "vae-score-baseline": ("vae", "objective.gradient=score-baseline"),
    "vae-detached": ("vae", "objective.gradient=detached"),
    "autoencoder": ("vae", "objective.beta=0", "objective.drawn=false"),
    "vae-two-layers": ("vae", "network.second_latent=2", "objective.warmup_steps=5"),
    "vae-tanh": ("vae", "network.decoder.activation=tanh", "network.encoder.activation=tanh",
                 "network.decoder.init=glorot", "network.encoder.init=glorot", "optimizer.schedule=burda",
                 "optimizer.final=1"),
    "vae-binarised": ("vae", "data.binarise=dynamic", "network.encoder.pixels=unit"),
    **{
        f"{bound}-{gradient}": ("iwae", f"objective.bound={bound}", f"objective.gradient={gradient}",
                                "objective.samples=3", "objective.warmup_steps=5")
        for bound in ("elbo", "iwae") for gradient in ("reparameterized", "dreg")
    },
    **{
        f"iwae-{gradient}-{name}": ("iwae", f"objective.gradient={gradient}", assignment)
        for gradient in ("reparameterized", "dreg")
        for name, assignment in (("flow", "network.prior.kind=flow"),
                                 ("two-layers", "network.second_latent=2"))
    },
    "no-average": ("gan", "training.ema=0"),
    "discriminator-first": ("gan", "objective.discriminator_warmup=1"),
    "pacgan": ("gan", "network.discriminator.pack=2"),
    "augmented": ("gan", "objective.augment=colour-translation-cutout", "objective.loss=relativistic"),
    "augmented-pacgan-r1": ("gan", "objective.augment=translation", "network.discriminator.pack=2",
                            "objective.r1=1", "objective.discriminator_steps=2", NO_NORM),
    "pacgan-r1-r2": ("gan", "network.discriminator.pack=2", "network.discriminator.maxout=3",
                     "objective.loss=relativistic", "objective.r1=1", "objective.r2=1",
                     "objective.discriminator_steps=2", NO_NORM),
}  # fmt: skip

Tiny = Callable[..., Experiment]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    """tiny(recipe, *assignments): see `small.tiny`."""
    return small.tiny


@pytest.fixture(params=EXPERIMENTS)
def experiment(request: pytest.FixtureRequest, tiny: Tiny) -> Experiment:
    return tiny(*EXPERIMENTS[request.param])


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return small.dataset()


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, where `genlab` looks for them."""
    root = tmp_path / "runs"
    monkeypatch.setenv("GENLAB_RUNS", str(root))
    return root


@pytest.fixture
def blots(tmp_path: Path) -> Path:
    """The tiny images as a file, for a page or a command opens its data by name."""
    return small.blots(tmp_path / "blots.npz")


@pytest.fixture
def small_vae(runs: Path, tiny: Tiny, blots: Path) -> Run:
    """A finished run of a VAE on them, as the app and the commands find it."""
    run = runner.begin(tiny("vae", f"data.name={blots}", "training.sample_every=3"))
    list(runner.work(run))
    return run


@pytest.fixture
def small_gan(small_vae: Run, tiny: Tiny) -> Run:
    """A GAN from that VAE's decoder."""
    experiment = tiny("gan").model_copy(update={"start": str(small_vae.path.resolve())})
    run = runner.begin(experiment)
    list(runner.work(run))
    return run
