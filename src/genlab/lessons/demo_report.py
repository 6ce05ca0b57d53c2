"""From a finished `Demo` to the content of its report."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genlab.data.batches import to_uint8
from genlab.data.dataset import Dataset
from genlab.evaluation.calibration import default_keys, sentence, table_for
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.experiment.runner import machine
from genlab.experiment.second_stage import codes
from genlab.experiment.trained import Trained
from genlab.lessons.demo import Demo, Measured, test_images
from genlab.lessons.report.charts import gan_charts, quality_charts, vae_charts
from genlab.lessons.report.content import (
    Directions,
    LiveDecoder,
    ModelEntry,
    NextStep,
    Reconstructions,
    Report,
    SameLatents,
)
from genlab.networks.portable import portable
from genlab.randomness import generator
from genlab.runs.store import Run

SHOWN = 64  # images in a grid
SAME = 12  # latents shown through both decoders
PAIRS = 16  # test images shown beside their reconstructions
AXES = 8  # principal directions of the codes


def pixels(images: torch.Tensor) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = to_uint8(images).numpy()
    return array


def report_of(demo: Demo) -> Report:
    assert demo.dataset is not None
    vae, _, warm, _ = (entry.trained for entry in demo.models)
    same = vae.model.latents(SAME, generator(demo.seed, "same-z"))
    vae_label = demo.models[0].label
    identity = demo.real.own.extractor.identity
    shown = default_keys(identity)
    tests = test_images(demo.dataset, PAIRS)
    return Report(
        title="A VAE, its decoder as a GAN's generator, and both families under one yardstick",
        summary="A VAE was trained; its decoder became the generator of a GAN, which was trained on; the "
        "same GAN was trained from random weights; and all of them, with a mixture fitted to the VAE's "
        "codes, were measured in the same way.",
        created=demo.created.isoformat(timespec="seconds"),
        command=demo.command,
        machine=machine(),
        seed=demo.seed,
        sampling_seed=demo.seed,
        dataset=describe(demo.dataset),
        wall_seconds=demo.wall_seconds,
        models=tuple(entry_of(entry, demo) for entry in demo.models),
        real=demo.dataset.test.pixels[:SHOWN],
        floor=demo.floor,
        ceiling=demo.ceiling,
        metrics=tuple(INSTRUMENTS[key] for key in shown),
        sees={key: sentence(table_for(identity), key) for key in shown},
        receipt=demo.runs["warm"].receipt(),
        reconstructions=Reconstructions(pixels(tests), pixels(vae.reconstruct(tests)), "vae"),
        same_z=SameLatents(
            same.numpy(), (("VAE", pixels(vae.decode(same))), ("GAN", pixels(warm.decode(same))))
        ),
        charts=(
            *vae_charts(demo.runs["vae"]),
            *gan_charts(arms(demo)),
            *quality_charts([(vae_label, demo.runs["vae"], 0), *arms(demo)]),
        ),
        estimators=tuple(demo.estimators),
        decoders=tuple(
            LiveDecoder(key, portable(each.model.decoder, each.model.observation, half=True))
            for key, each in (("vae", vae), ("gan-from-vae", warm))
        ),
        directions=directions(vae, demo),
        notes=notes(demo),
        next_steps=next_steps(demo),
    )


def arms(demo: Demo) -> list[tuple[str, Run, int]]:
    """The two GANs, in the colours of their rows."""
    return [(entry.label, entry.trained.run, 2 + index) for index, entry in enumerate(demo.models[2:])]


def describe(dataset: Dataset) -> str:
    return f"{dataset.name}: {len(dataset.train):,} training and {len(dataset.test):,} test images"


def entry_of(entry: Measured, demo: Demo) -> ModelEntry:
    trained, record = entry.trained, entry.record
    seconds = record["cost"]["training_seconds"] + (demo.prior_seconds if entry.prior == "fitted" else 0)
    charged = entry.key == "gan-from-vae"
    vae_seconds = demo.models[0].record["cost"]["training_seconds"]
    return ModelEntry(
        key=entry.key,
        label=entry.label,
        family=trained.experiment.family,
        prior=record["prior"],
        run=trained.run.name,
        steps=trained.step,
        seconds=seconds,
        parameters=record["cost"]["parameters"],
        measurement=record,
        samples=pixels(trained.sample(SHOWN, demo.seed).images),
        note=f"and {vae_seconds:.0f} s for the VAE that its decoder comes from" if charged else "",
    )


def directions(vae: Trained, demo: Demo) -> Directions:
    """The principal axes of the codes, each turned so that its largest entry is positive."""
    assert demo.dataset is not None
    cloud = codes(vae, demo.dataset, 5000)
    centred = cloud - cloud.mean(dim=0)
    _, lengths, axes = torch.linalg.svd(centred, full_matrices=False)
    axes = axes[:AXES]
    signs = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True)).sign()
    tests = test_images(demo.dataset, 8)
    return Directions(
        mean=cloud.mean(dim=0).numpy(),
        axes=(axes * signs).numpy(),
        stds=(lengths[:AXES] / len(cloud) ** 0.5).numpy(),
        starts=vae.encode(tests).numpy(),
        start_images=pixels(tests),
    )


def notes(demo: Demo) -> tuple[str, ...]:
    record: dict[str, Any] = demo.models[0].record
    values, pixels = record["values"], record["protocol"]["likelihood"]
    sampled = (
        "One seed each: another seed gives other numbers, and which model comes first may change with it. "
        "The intervals are those of drawing other samples from the same model."
    )
    elbo = (
        f"The VAE's test ELBO is {values['elbo']['value']:.1f} nats ({pixels}), the mean squared error of "
        f"its reconstructions {values['mse']['value']:.4f}. A GAN has no likelihood to put beside it."
    )
    cost = (
        "Both GANs took the same number of steps against a discriminator that began equal; the first one's "
        "generator began as the VAE's decoder, and the VAE's own training comes on top of its time."
    )
    mixture = f"Fitting the mixture to the VAE's codes took {demo.prior_seconds:.1f} s."
    return sampled, elbo, cost, mixture


def next_steps(demo: Demo) -> tuple[NextStep, ...]:
    vae, gan = (demo.runs[key].path for key in ("vae", "warm"))
    return (
        NextStep(f"./lab generate {gan} -n 100", "draws 100 more digits from the GAN"),
        NextStep(f"./lab generate {vae} --prior fitted", "draws from the mixture instead of N(0, I)"),
        NextStep(f"./lab interpolate {vae} --spherical", "walks from digit to digit"),
        NextStep(
            f"./lab train gan --from {vae} --set network.prior.kind=mixture", "draws z from that mixture"
        ),
        NextStep("./lab train vae --set objective.beta=4", "asks what a heavier KL term does"),
        NextStep("./lab train gan --data FOLDER --seconds 300", "trains on your own images"),
        NextStep("./launch.sh", "does all of this in a browser (launch.bat on Windows)"),
    )
