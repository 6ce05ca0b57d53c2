"""What goes wrong in training, seen in what is logged anyway: a code that is ignored, images that are all
alike, a loss that runs away, a discriminator that cannot be deceived.

Each symptom is a pure function of one step's values, and of where the loss began. A detector speaks once in
an episode: after it has seen its symptom at four of five looks for as long as the symptom may last in a
healthy run, and then not before the symptom has been gone for a while. What detectors know is a function of
the events that a run keeps, so that a resumed run warns as the uninterrupted one does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from genlab.runs.events import Event, Metrics, Warned

Values = Mapping[str, float]

PATIENCE = 300  # steps that a symptom may last at the start of a healthy run, and must last in a sick one
LONGER = 600  # the same for images that are all alike, as a generator's are until it has learned something
LOOKS = 5  # logged steps that are asked at least
MOSTLY = 0.8  # the fraction of them that must agree

# What separates the sick from the healthy; `benchmarks/detectors.py --symptoms` prints both.
INFORMATION = 0.5  # nats of KL for an image
DIVERSITY = 0.3  # of that of real images
CERTAINTY = 0.01  # of a discriminator's loss, which is 0.7 to 2 where it cannot tell
MARGIN = 10.0  # nats that a small loss may rise by
BEYOND = 1e9  # nats, more than any image loses where a training begins
RUNAWAY = 100.0  # of the same loss, which only a critic that has lost its way comes to
APART = 1000.0  # logits of real and of generated images; Wasserstein's are no farther than images are


@dataclass
class Past:
    """Where the negative ELBO, as weighted in training, began and how low it has come."""

    first: float | None = None
    lowest: float = math.inf

    def take(self, loss: float | None) -> None:
        if loss is not None:
            self.first = loss if self.first is None else self.first
            self.lowest = min(self.lowest, loss)


def vae_loss(values: Values) -> float | None:
    """−ELBO with its KL weighted by β, in nats per image; None for a GAN."""
    if "reconstruction" not in values or "kl" not in values:
        return None
    return values["reconstruction"] + values.get("beta", 1.0) * values["kl"]


def posterior_collapse(values: Values, past: Past) -> str | None:
    """q(z|x) has become the prior, and the decoder has learned to do without z (Bowman et al., 2016)."""
    kl, units = values.get("kl", math.inf), values.get("active_units", math.inf)
    if kl >= INFORMATION and units > 0:
        return None
    used = f" in {units:.0f} active dimensions" if math.isfinite(units) else ""
    return f"the code says {max(kl, 0):.2g} nats about an image{used}: the decoder hardly looks at z"


def mode_collapse(values: Values, past: Past) -> str | None:
    """Whatever z is, the generator draws one image, or a few again and again."""
    found = values.get("diversity", math.inf)
    if found >= DIVERSITY:
        return None
    return f"generated images differ {found:.2g} times as much as real ones: the generator draws few kinds"


def divergence(values: Values, past: Past) -> str | None:
    """A loss that leaves where it began, upwards, by more than it has ever come down; or was never sane."""
    loss, judge = vae_loss(values), values.get("discriminator_loss", 0.0)
    apart = abs(values.get("real_logit", 0.0) - values.get("fake_logit", 0.0))
    if loss is not None and loss > BEYOND:
        return f"the loss is {loss:.4g} nats, which no image is worth: training runs away"
    if loss is not None and past.first is not None:
        bound = past.first + max(abs(past.first), MARGIN) + 2 * (past.first - past.lowest)
        if loss > bound:
            return f"the loss is {loss:.4g} nats, where it began at {past.first:.4g}: training runs away"
    if judge > RUNAWAY or apart > APART:
        return f"the discriminator's loss is {judge:.4g}, its logits {apart:.4g} apart: training runs away"
    return None


def discriminator_won(values: Values, past: Past) -> str | None:
    """The discriminator names every image rightly and surely, and has little left to teach. A Wasserstein
    critic may be as sure as it likes: its loss is negative then."""
    loss = values.get("discriminator_loss", math.inf)
    if not 0 <= loss < CERTAINTY:
        return None
    return f"the discriminator tells all images apart (loss {loss:.2g}): it has little left to teach"


@dataclass(frozen=True)
class Detector:
    """`symptom` says what is wrong at one step, or None, and must last `patience` steps; `advice`: what to
    try."""

    symptom: Callable[[Values, Past], str | None]
    patience: int
    advice: str


DETECTORS: dict[str, Detector] = {
    "posterior collapse": Detector(
        posterior_collapse, PATIENCE,
        "lower objective.beta, raise it slowly (objective.warmup_steps), or leave each dimension some nats "
        "(objective.free_bits=0.1)",
    ),
    "mode collapse": Detector(
        mode_collapse, LONGER,
        "balance the players' learning rates, or set objective.loss=relativistic, objective.r1=1 and "
        "objective.r2=1 with network.discriminator.norm=none",
    ),
    "divergence": Detector(
        divergence, 0,
        "lower optimizer.learning_rate, and the discriminator_rate, to a tenth; this run will hardly recover",
    ),
    "discriminator won": Detector(
        discriminator_won, PATIENCE,
        "lower optimizer.discriminator_rate, or penalise it: objective.r1=1 with "
        "network.discriminator.norm=none",
    ),
}  # fmt: skip


@dataclass
class Episode:
    """From looks to warnings: whether one detector should speak now."""

    patience: int
    looks: deque[tuple[int, bool]] = field(default_factory=deque)
    began: int | None = None
    spoken: bool = False

    def look(self, step: int, sick: bool) -> bool:
        rest = max(self.patience, PATIENCE)
        self.began = step if self.began is None else self.began
        self.looks.append((step, sick))
        while len(self.looks) > LOOKS and self.looks[0][0] <= step - rest:
            self.looks.popleft()
        if self.spoken:  # until the symptom has been as rare as it then was frequent
            self.spoken = self.share(step - rest) > 1 - MOSTLY
            return False
        long_enough = len(self.looks) >= LOOKS and step - self.began >= self.patience
        self.spoken = sick and long_enough and self.share(step - self.patience) >= MOSTLY
        return self.spoken

    def share(self, since: int) -> float:
        """The fraction of the looks after the step `since`, or of the last `LOOKS`, that saw the symptom."""
        later = sum(step > since for step, _ in self.looks)
        recent = list(self.looks)[-max(later, LOOKS) :]
        return sum(sick for _, sick in recent) / len(recent)


class Watch:
    """All detectors over one run; `history` is what its log says already happened."""

    def __init__(self, history: Iterable[Event] = ()) -> None:
        self.past = Past()
        self.episodes = {name: Episode(detector.patience) for name, detector in DETECTORS.items()}
        for event in history:
            if isinstance(event, Metrics):
                self.see(event)
            elif isinstance(event, Warned) and event.detector in self.episodes:
                self.episodes[event.detector].spoken = True  # of a run that was lost and is tried again

    def see(self, event: Metrics) -> list[Warned]:
        """What the detectors say to a logged step."""
        self.past.take(vae_loss(event.values))
        found = []
        for name, detector in DETECTORS.items():
            sentence = detector.symptom(event.values, self.past)
            if self.episodes[name].look(event.step, sentence is not None) and sentence is not None:
                found.append(Warned(event.step, name, sentence, detector.advice))
        return found

    def lost(self, step: int) -> list[Warned]:
        """What is said where a loss or a weight is not finite any more, unless it was said before."""
        if self.episodes["divergence"].spoken:
            return []
        sentence = f"after step {step} numbers are no longer finite: training has diverged"
        return [Warned(step, "divergence", sentence, DETECTORS["divergence"].advice)]
