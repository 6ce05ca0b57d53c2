"""What the course says, sentence by sentence, in our words: what in it can be tested, and where it is.

The verdicts are not written here. They are read from a run of the lesson: the reader's own, or the one that
comes with genlab.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.judging import Claim, Verdict, judge
from genlab.lessons.lesson import Lesson
from genlab.lessons.record import Record


@dataclass(frozen=True)
class Sentence:
    """`says` is the course's sentence or analogy, `part` where it stands; `claims` of `lesson` are what in it
    can be tested, by their keys."""

    part: str
    says: str
    lesson: str
    claims: tuple[str, ...]


TRICK, KL, SIZE = "Why the reparameterization trick?", "What does the KL term do?", "What does latent_dim do?"
HANDOVER, HEADINGS = "How is a decoder a generator?", "Encoder and discriminator"
FAMILIES = "VAE against GAN"

COURSE: tuple[Sentence, ...] = (
    Sentence(TRICK, "Sampling prevents gradients: a random node cannot be differentiated, so without the "
             "trick the encoder could not learn.", "reparameterization", ("no-gradient", "training")),
    Sentence(TRICK, "The hill: who is set down on it at random cannot feel which way is down, until chance "
             "is taken out of the step and put beside it.", "reparameterization", ("detached", "variance")),
    Sentence(TRICK, "The trick separates the noise from the parameters.", "reparameterization",
             ("same-objective", "unbiased")),
    Sentence(KL, "The sandbox: the KL term keeps all codes within one box, where they would else lie "
             "scattered over the yard.", "kl", ("prior", "classes", "holes")),
    Sentence(KL, "It makes it possible to draw new images from N(0, I).", "kl", ("samples", "smooth")),
    Sentence(KL, "It regularises.", "kl", ("regularises",)),
    Sentence(KL, "It competes with the reconstruction; too much of it, and the code says nothing.", "kl",
             ("trade", "collapse", "predicted", "curve")),
    Sentence(SIZE, "The book: on too few pages the story is lost.", "latent-dim", ("small",)),
    Sentence(SIZE, "On too many it is copied word for word: a large latent_dim overfits.", "latent-dim",
             ("gap-vae", "gap-ae", "worse-vae", "worse-ae")),
    Sentence(HANDOVER, "The VAE's decoder becomes the generator: both turn a code into an image.",
             "decoder-to-generator", ("same", "forgotten")),
    Sentence(HANDOVER, "It need not begin anew: what it learned as a decoder helps it as a generator.",
             "decoder-to-generator", ("sooner", "sooner-charged", "better", "collapse")),
    Sentence(HANDOVER, "The discriminator takes the encoder's place.", "decoder-to-generator",
             ("dip", "warm-up")),
    Sentence(HEADINGS, "Purpose. The translator: an encoder understands an image and puts it into another "
             "language.", "encoder-and-discriminator", ("rebuild", "class")),
    Sentence(HEADINGS, "Purpose. The judge: a discriminator only tells real from generated.",
             "encoder-and-discriminator", ("real", "learned")),
    Sentence(HEADINGS, "Input and output: an image comes in; out come a code, or one number, the probability "
             "that the image is real.", "encoder-and-discriminator",
             ("one-number", "probability", "probability-settled", "probability-hinge")),
    Sentence(HEADINGS, "Objective: the encoder minimises a loss of reconstruction, the discriminator "
             "maximises its accuracy.", "encoder-and-discriminator",
             ("optimum", "accuracy", "accuracy-wasserstein")),
    Sentence(HEADINGS, "Cooperation against competition: what the discriminator wins, the generator learns "
             "from.", "encoder-and-discriminator",
             ("cooperation", "competition", "success-minimax", "success-nonsaturating", "loss-matters")),
    Sentence(FAMILIES, "A GAN's images are sharp and lifelike, a VAE's blurred.", "compare",
             ("closer", "closer-second", "blurred", "prior", "recipe")),
    Sentence(FAMILIES, "A VAE draws every kind of image that there is, a GAN its favourites.", "compare",
             ("covers", "covers-second")),
    Sentence(FAMILIES, "A VAE's training is steady, a GAN's a matter of luck.", "compare", ("steady",)),
    Sentence(FAMILIES, "A VAE can give an image back, a GAN cannot.", "compare", ("back",)),
    Sentence(FAMILIES, "Both draw new images, not copies of those that they learned from.", "compare",
             ("copies-gan", "copies-vae")),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A sentence's claim, with the lesson that tests it and, where one was run, the verdict."""

    sentence: Sentence
    lesson: Lesson
    claim: Claim
    verdict: Verdict | None


def table(records: dict[str, Record]) -> Iterator[Row]:
    """Every sentence of the course with each of its claims; `records` by the lessons' names."""
    known = set(names())
    for sentence in COURSE:
        if sentence.lesson not in known:
            continue
        lesson = lesson_called(sentence.lesson)
        record = records.get(lesson.name)
        for claim in lesson.claims:
            if claim.key in sentence.claims:
                verdict = judge(claim, record.findings) if record else None
                yield Row(sentence, lesson, claim, verdict)
