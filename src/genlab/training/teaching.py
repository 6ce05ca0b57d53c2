"""One update at a time, looked at before and after: what it did to the weights, to the images, and to what
the discriminator says of them.

    moment.json   the last single update, in numbers; written last
    moment/       its images

Training does not notice: everything is measured on a copy of the model, in evaluation mode, with noise from a
stream of its own.
"""

from __future__ import annotations

import copy
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from genlab.data.batches import Batch, to_uint8
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.objectives.base import Update
from genlab.objectives.elbo import elbo_terms
from genlab.randomness import generator, normal
from genlab.reduction import mean, means
from genlab.runs.files import write_json
from genlab.runs.sheets import write_sheet
from genlab.training.ema import tensors
from genlab.training.orders import Orders
from genlab.training.state import Model

COUNT = 16  # images of each kind
COLUMNS = 8  # of a sheet of them


class Seen(NamedTuple):
    """A model at one moment, as far as its family has it: `scores`, the logits of fixed `reals` and of
    `fakes` from fixed latents; `elbo`, its terms for images of the batch, in nats; `images` (N, C, H, W)
    uint8, the `fakes` and the `reconstructions`."""

    scores: dict[str, list[float | None]]
    elbo: dict[str, float | None]
    images: dict[str, NDArray[Any]]


class Lesson:
    """Takes the updates of a step one by one, each when it is asked for. `tests`: real images (N, C, H, W)
    that are judged throughout. Without a `folder`, as on all ranks but the first, nothing is told."""

    def __init__(self, orders: Orders, tests: Tensor, seed: int, folder: Path | None) -> None:
        self.orders, self.state, self.folder = orders, orders.state, folder
        self.tests, self.seed = tests, seed
        self.waited = 0.0
        """Seconds of the step at hand that were no training."""
        self.told = ""
        """The folder of the last moment's images."""

    @property
    def on(self) -> bool:
        return self.orders.single

    @cached_property
    def mirror(self) -> Model:
        """What is measured: the weights of the moment in a model of their own, which is never compiled."""
        return copy.deepcopy(self.state.averaged.model)  # type: ignore[return-value]

    @cached_property
    def fixed(self) -> tuple[Tensor, Tensor, Tensor]:
        """The reals, latents and noise of every look: whole packs of images, (N, Z), (N, Z)."""
        model, rng = self.mirror, generator(self.seed, "lesson")
        pack = 1 if isinstance(model, VAE) else model.discriminator.pack
        count = max(pack, COUNT - COUNT % pack)
        reals = self.tests[: min(count, len(self.tests) - len(self.tests) % pack)]
        noise = normal((COUNT, model.prior.latent_dim), rng).to(model.device)
        return reals, model.latents(count, rng), noise

    def watch(self, updates: Iterator[Update], batch: Batch, blocks: int, steps: int) -> Iterator[Update]:
        """The `updates` of a step that begins after `self.state.step` of `steps`, with a `batch` for the
        first so many of them, its `blocks`. All of them, though the last ones unwatched where the run goes on
        meanwhile."""
        self.waited, index, fresh = 0.0, 0, batch.images.chunk(blocks)
        update: Update | None = next(updates)
        begins_with = update.part if update else ""
        while update is not None:
            began = time.perf_counter()
            moment = Moment(self, update, fresh[min(index, blocks - 1)], steps, index)
            self.waited += time.perf_counter() - began
            yield update  # the loop takes it
            following = next(updates, None)
            began = time.perf_counter()
            moment.tell(following.part if following else begins_with)
            single = following is None or self.orders.next_update()
            self.waited += time.perf_counter() - began
            if not single and following is not None:
                yield following
                yield from updates
                return
            update, index = following, index + 1

    @torch.no_grad()
    def see(self, images: Tensor) -> Seen:
        """The model as it stands, with the first of the batch's `images`."""
        model, (reals, latents, noise) = self.mirror, self.fixed
        for mine, theirs in zip(tensors(model).values(), tensors(self.state.model).values(), strict=True):
            mine.copy_(theirs)
        scores, terms, shown = {}, {}, {}
        if not isinstance(model, VAE):
            fakes = model.decode(latents)
            scores = {"reals": logits(model, reals), "fakes": logits(model, fakes)}
            shown["fakes"] = fakes
        if not isinstance(model, GAN):
            q = model.encode(images)
            z = q.sample(noise[: len(images)])
            nll, kl = model.observation.nll(model.raw(z), images), model.prior.kl(q, z)
            terms = {key: number(value) for key, value in elbo_terms(nll.mean(), kl.mean()).items()}
            shown["reconstructions"] = model.reconstruct(images)
        return Seen(scores, terms, {name: pixels_of(each) for name, each in shown.items()})


class Moment:
    """One update: what stood before it, until `tell` says what came of it. Every rank has one, and the first
    writes it down."""

    def __init__(self, lesson: Lesson, update: Update, images: Tensor, steps: int, index: int) -> None:
        state, part = lesson.state, update.part
        self.lesson, self.part, self.step, self.index = lesson, part, state.step + 1, index
        self.adam = state.optimizers[part]
        self.rate = self.adam.settings.rate_at(state.step, steps)
        self.loss = number(mean(update.loss.detach()))
        self.values = {key: number(value) for key, value in means(update.logged()).items()}
        if lesson.folder is None:
            return
        self.images = images[:COUNT]
        self.before = lesson.see(self.images)
        self.weights, self.moments = clones(self.adam.parameters), clones(self.adam.means)

    def tell(self, following: str) -> None:
        """Write down what the update did; `following` is the part that comes next."""
        folder = self.lesson.folder
        if folder is None:
            return
        after, name = self.lesson.see(self.images), f"{self.step:07d}-{self.index}"
        write_json(folder / "moment.json", {
            "step": self.step, "part": self.part, "index": self.index, "next": following,
            "loss": self.loss, "learning_rate": self.rate, "gradient_norm": self.gradient_norm(),
            "moved": self.moved(), "values": self.values,
            "scores": paired(self.before.scores, after.scores),
            "elbo": {"before": self.before.elbo, "after": after.elbo} if after.elbo else None,
            "images": self.draw(folder, name, after), "columns": COLUMNS, "time": time.time(),
        })  # fmt: skip
        self.lesson.told = name

    def gradient_norm(self) -> float | None:
        """From Adam's mean m of gradients, which the update moved: g = (m' − β₁m) / (1 − β₁)."""
        beta = self.adam.settings.betas[0]
        pairs = zip(self.adam.means, self.moments, strict=True)
        return norm([(now - beta * before) / (1 - beta) for now, before in pairs])

    def moved(self) -> float | None:
        """How far the part's weights went, as a fraction of how far they are from 0."""
        pairs = zip(self.adam.parameters, self.weights, strict=True)
        way, size = norm([now.detach() - before for now, before in pairs]), norm(self.weights)
        return number(way / size) if way is not None and size else None

    def draw(self, folder: Path, name: str, after: Seen) -> dict[str, Any]:
        """Write the sheets: the paths, relative to `folder`, of the batch's `reals` and of those that are
        `judged`; of each other kind one from before the update and one from after."""
        for old in (folder / "moment").glob("*"):
            if old.name != self.lesson.told:  # of which someone may still be reading
                shutil.rmtree(old)

        def sheet(what: str, pixels: NDArray[Any]) -> str:
            path = f"moment/{name}/{what}.png"
            write_sheet(folder / path, pixels, min(COLUMNS, len(pixels)), scale=2)
            return path

        found: dict[str, Any] = {"reals": sheet("reals", pixels_of(self.images))}
        if after.scores.get("reals"):
            found["judged"] = sheet("judged", pixels_of(self.lesson.fixed[0]))
        for what, pixels in after.images.items():
            before = sheet(f"{what}-before", self.before.images[what])
            found[what] = {"before": before, "after": sheet(f"{what}-after", pixels)}
        return found


def logits(model: GAN | VAEGAN, images: Tensor) -> list[float | None]:
    """The discriminator's, one for each pack of `images`."""
    return [number(each) for each in model.discriminator(images)] if len(images) else []


def paired(before: dict[str, list[float | None]], after: dict[str, list[float | None]]) -> Any:
    """{"reals": {"before": …, "after": …}, …}; None where nothing is judged."""
    return {name: {"before": before[name], "after": after[name]} for name in after} or None


def pixels_of(images: Tensor) -> NDArray[Any]:
    return to_uint8(images).cpu().numpy()


def clones(found: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in found]


def norm(found: Sequence[Tensor]) -> float | None:
    """√Σ‖·‖² over all of them."""
    return number(torch.stack([tensor.norm() for tensor in found]).norm())


def number(value: Tensor | float) -> float | None:
    """As JSON has it: None where it is not finite."""
    found = float(value)
    return found if math.isfinite(found) else None
