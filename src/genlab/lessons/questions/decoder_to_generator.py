"""How is a decoder a generator? One network changes hands, and a GAN's training begins where a VAE's ended."""

from __future__ import annotations

from statistics import fmean

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Guess, Lesson
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.decoder_to_generator_evidence import evidence, pictures
from genlab.lessons.questions.decoder_to_generator_trials import (
    ARMS,
    RUN,
    SEEDS,
    charge,
    dip,
    end,
    forgotten,
    halvings,
    is_measured,
    less_alike,
    needed,
    of_rows,
    read,
    runs,
    same_function,
    sooner,
    tasks,
)
from genlab.lessons.writing.source import code

CLAIMS = (
    Claim(
        "same", "At the hand-over, before the first step, generator and decoder are the same function.",
        "largest difference of a pixel in [−1, 1] over 64 latents, also after saving and reading back",
        same_function, high=0, digits=6,
    ),
    Claim(
        "sooner", "A warm start gets sooner to where a start from random weights ends.",
        "share of those steps that the decoder saves, the VAE's own training not counted",
        sooner, low=0.2,
    ),
    Claim(
        "sooner-charged", "It does so even when the VAE's training is charged to it.",
        "share of those steps that the decoder saves, the VAE's seconds counted as steps of the GAN",
        lambda f: sooner(f, charged=True), low=0.2,
    ),
    Claim(
        "better", "On the same budget of steps, a warm start ends better.",
        "log₂ of the Fréchet distance at the end, random weights over decoder",
        lambda f: halvings(f, "decoder", "random"), low=0.25, unit="halvings",
    ),
    Claim(
        "collapse", "A warm start collapses less.",
        "share of the second half's logged steps with images too alike, random weights less decoder",
        less_alike, low=0.05,
    ),
    Claim(
        "dip", "A discriminator that knows nothing yet first ruins the decoder that it is given.",
        "log₂ of the largest Fréchet distance on the way over that at the hand-over", dip, low=0.5,
        unit="doublings",
    ),
    Claim(
        "warm-up", "It is better to let the discriminator learn alone first.",
        "log₂ of the Fréchet distance at the end, together over discriminator first, both from the decoder",
        lambda f: halvings(f, "decoder-first", "decoder"), low=0.25, unit="halvings",
    ),
    Claim(
        "forgotten", "The code is forgotten: the old encoder no longer reads z from the generator's images.",
        "share of the way from what the encoder missed at the hand-over to what it misses by chance",
        forgotten, low=0.5,
    ),
)  # fmt: skip


def text() -> str:
    return rf"""
The decoder of a VAE takes a code $z$ and gives an image. So does the generator of a GAN. In this lab the two are one
class, and "generator" is a role that a decoder plays:

{code("genlab.networks.model", "GAN")}

What differs is who tells it how well it does. As a decoder it hears from the likelihood of one image, whose code an
encoder has just made; as a generator it hears from a discriminator that has seen none of its codes,

$$\text{{decoder: }} \mathbb{{E}}_{{q(z \mid x)}}[-\ln p_\theta(x \mid z)]
\qquad \text{{generator: }} \mathbb{{E}}_{{p(z)}}[-\ln D(G_\theta(z))] .$$

Nothing in the second ties an image to *its* $z$: any generator that draws the right images, from whichever $z$, is as
good. So one may hand a trained decoder over, tensor by tensor, and go on. The copy is strict, and comes with a receipt:

{code("genlab.experiment.handover", "adopt")}

Is that of any use? A decoder that draws digits already might save the GAN its slow beginning. Or the beginning might be
lost: the discriminator has learned nothing yet and pushes the decoder about; the optimiser's memory starts from nothing;
a VAE's decoder was trained on codes, which need not lie where $\mathcal{{N}}(0, I)$ puts them. So there are several
starts, on the same seeds, the same batches and the same budget of steps: from random weights; from the decoder; with $z$
drawn from a mixture of Gaussians fitted to the VAE's codes; with the encoder's trunk as the discriminator's; and each of
these with a discriminator that learns alone for a while, as part of the budget. Where its trunk is not handed over, the
discriminator begins from the same weights in all of them. A VAE is not free, so times are given twice, with its training
and without, turned into steps by the seconds that both took in this run.

On the way the same $z$ are decoded again and again: by the VAE, and by the generator after ever more steps. How far have
their images moved, and does the VAE's encoder $E$, which takes no part any more, still find $z$ in them,
$\|E(G(z)) - z\| / \|z\|$? It never reads all of it, not even from the VAE's own images, since a VAE leaves some
dimensions of $z$ unused; and what it misses on the image of *another* $z$ is chance.
"""


def found(findings: Findings) -> str:
    if not is_measured(findings):
        return "No seed has been trained to its end both from random weights and from the decoder: they diverged."
    ends = {arm: told([end(run) for (run,) in runs(findings, arm)]) for arm in findings["arms"]}
    best = min(ends, key=lambda arm: fmean([end(run) for (run,) in runs(findings, arm)] or [1e9]))
    there = [mine for mine, _ in needed(findings, "decoder")]
    when = (
        f"The decoder was there after {told([each for each in there if each is not None], 0)} steps."
        if None not in there
        else f"From the decoder {there.count(None)} of {len(there)} seeds did not get there."
    )
    codes = of_rows(findings, "decoder", "code")
    chance = fmean(run["chance"] for (run,) in runs(findings, "decoder"))
    moved = of_rows(findings, "decoder", "pixels")[-1][1]
    others = "; ".join(
        f"{ARMS[arm].name}, {value}" for arm, value in ends.items() if arm not in ("random", "decoder")
    )
    return f"""
At the hand-over the largest difference between generator and decoder was {max(same_function(findings)):g}.

Random weights ended after {findings["steps"]:,} steps at a Fréchet distance of {ends["random"]}, the decoder at
{ends["decoder"]}; {others}. The lowest mean was that of: {ARMS[best].name}. {when} Training the VAE took as long as
{charge(findings):,.0f} steps of the GAN.

The image of a z ended {fmean(moved):.2f} as far from the VAE's image of it as two images of the VAE are from each other.
The old encoder missed {fmean(codes[0][1]):.2f} of z at the hand-over and {fmean(codes[-1][1]):.2f} at the end, where
{chance:.2f} is chance.
"""


PREDICTIONS = (
    Choice(
        "ends", "On the same budget of steps, which start ends nearer to real images?",
        ("random weights", "the VAE's decoder", "neither, within a tenth"),
        lambda f: which_ends(halvings(f, "decoder", "random")),
    ),
    Guess(
        "saved", "Which share of the steps does the decoder save, the VAE not counted, in per cent?",
        -100, 100, 5, lambda f: 100 * fmean(sooner(f)) if is_measured(f) else None, "%",
    ),
    Choice(
        "first", "What do the first steps do to a decoder whose discriminator knows nothing yet?",
        ("they spoil it", "nothing much", "they improve it at once"), lambda f: what_first(f),
    ),
    Choice(
        "reads", "At the end, what does the VAE's encoder still read from the generator's image of z?",
        ("nearly all that it read before", "a part", "hardly anything"),
        lambda f: what_remains(forgotten(f)),
    ),
)  # fmt: skip


def which_ends(found: list[float]) -> str | None:
    if not found:
        return None
    if abs(fmean(found)) < 0.14:  # a tenth
        return "neither, within a tenth"
    return "the VAE's decoder" if fmean(found) > 0 else "random weights"


def what_first(findings: Findings) -> str | None:
    """By the first mark after the hand-over, from which a tenth is nothing much."""
    if not runs(findings, "decoder"):
        return None
    (_, before), (_, after) = of_rows(findings, "decoder", "frechet")[:2]
    ratio = fmean(after) / fmean(before)
    return "they spoil it" if ratio > 1.1 else "they improve it at once" if ratio < 0.9 else "nothing much"


def what_remains(lost: list[float]) -> str | None:
    if not lost:
        return None
    names = ("nearly all that it read before", "a part", "hardly anything")
    return names[0] if fmean(lost) < 0.2 else names[1] if fmean(lost) < 0.8 else names[2]


LESSON = Lesson(
    name="decoder-to-generator",
    aliases=("part2", "q4"),
    title="How is a decoder a generator?",
    question="Is a VAE's decoder of any use as a GAN's generator, and what becomes of its code?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=found,
    reflections=(
        "The adversarial loss does not say which z should draw which image. Why would the code not be lost at once?",
        "When is it fair to charge the VAE's training to the warm start, and when is it not?",
        "The discriminator's first task differs between the starts. What does it see first in each of them?",
    ),
    sources=(
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        "I. Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        "A. B. L. Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016",
        "B. Dai, D. Wipf, Diagnosing and Enhancing VAE Models, ICLR 2019",
        "P. Ghosh et al., From Variational to Deterministic Autoencoders, ICLR 2020",
    ),
    seeds=SEEDS,
    unresolved=(
        f"Of the ten starts it has {len(RUN['quick'])}, on {SEEDS['quick']} seeds and a budget on which no GAN is "
        "finished: what ends better there need not end better after ten times as many steps."
    ),
    pictures=pictures,
)
