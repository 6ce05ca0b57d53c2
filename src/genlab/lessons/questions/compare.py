"""VAE against GAN: the same decoder and the same time, and every number that the house has for both."""

from __future__ import annotations

from statistics import fmean

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Guess, Lesson
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.compare_evidence import evidence, pictures
from genlab.lessons.questions.compare_trials import (
    COUNTS,
    NAMES,
    SEEDS,
    ahead,
    by_one_recipe,
    halvings,
    more,
    of,
    read,
    sharper,
    steadier,
    tasks,
)
from genlab.lessons.writing.source import code

CLAIMS = (
    Claim(
        "closer", "A GAN's samples are closer to real images than a VAE's from N(0, I).",
        "log₂ of the Fréchet distance, the VAE's over the GAN's",
        lambda f: halvings(f, "gan", "vae"), low=0.25, unit="halvings",
    ),
    Claim(
        "closer-second", "They are also closer than the samples of the VAE's second stage.",
        "log₂ of the Fréchet distance, the second stage's over the GAN's",
        lambda f: halvings(f, "gan", "vae:fitted"), low=0.25, unit="halvings",
    ),
    Claim(
        "prior", "It is the prior and not the decoder that keeps a VAE's samples from real images.",
        "log₂ of the Fréchet distance, with N(0, I) over with the second stage",
        lambda f: halvings(f, "vae:fitted", "vae"), low=0.25, unit="halvings",
    ),
    Claim(
        "recipe", "It is not the recipe: by either one for both, the GAN's are still closer than the VAE's from N(0, I).",
        "log₂ of the Fréchet distance, the VAE's over the GAN's, by the recipe that is worse for the GAN",
        by_one_recipe, low=0.25, unit="halvings",
    ),
    Claim(
        "covers", "A VAE's samples, from N(0, I), cover more of the real images than a GAN's.",
        "recall, the VAE's less the GAN's", lambda f: more(f, "recall", "vae", "gan"), low=0.05,
    ),
    Claim(
        "covers-second", "A VAE's second stage covers more of the real images than a GAN.",
        "recall, the second stage's less the GAN's", lambda f: more(f, "recall", "vae:fitted", "gan"), low=0.05,
    ),
    Claim(
        "blurred", "A VAE's samples are blurred where a GAN's are as sharp as real images.",
        "how much farther │ln sharpness│ is from that of real images, the VAE's less the GAN's",
        lambda f: sharper(f, "gan", "vae"), low=0.1,
    ),
    Claim(
        "back", "A VAE gives an image back better than a GAN, whose z must be searched for.",
        "log₂ of the squared error, the GAN's over the VAE's",
        lambda f: halvings(f, "vae", "gan", "mse", "inversion_mse"), low=0.25, unit="halvings",
    ),
    Claim(
        "steady", "A VAE's result varies less from seed to seed.",
        "log₂ of the spread over seeds of the Fréchet distance's logarithm, the GAN's over the VAE's",
        steadier, low=1, unit="halvings", digits=1,
    ),
    Claim(
        "copies-gan", "A GAN does not copy its training images.",
        "C_T of its samples, in standard deviations; far below 0 they lie too near to training images",
        lambda f: of(f, "gan", "c_t"), low=-3, digits=1,
    ),
    Claim(
        "copies-vae", "A VAE does not copy its training images.",
        "C_T of its samples from N(0, I), in standard deviations", lambda f: of(f, "vae", "c_t"), low=-3, digits=1,
    ),
)  # fmt: skip


def text() -> str:
    return rf"""
A VAE and a GAN have the same generator, a decoder $z \mapsto x$, and ask for different things. A VAE asks that every
training image be likely,

$$\mathbb{{E}}_{{p_{{data}}(x)}}\big[-\ln p_\theta(x)\big]
\;\le\; \mathbb{{E}}\big[-\ln p_\theta(x \mid z) + KL(q(z \mid x) \,\|\, p(z))\big],$$

and pays dearly for an image that it leaves out; a GAN asks that every sample pass for real, and nothing in
$\mathbb{{E}}_{{p(z)}}[-\ln D(G_\theta(z))]$ speaks of images that are never drawn. From this it is often concluded that
GANs make the better pictures and VAEs the more complete ones. Here both have one and the same decoder, the same images,
the same time on one thread and several seeds, and whatever can be said of both is measured by one yardstick:

{code("genlab.evaluation.yardstick", "distances")}

Three things could be mistaken for the family. The first is the **prior**: a VAE's samples come from $\mathcal{{N}}(0, I)$,
but its decoder was trained on codes, which need not fill it. So the VAE is measured twice, the second time with $z$ from
a mixture of 64 Gaussians fitted to its codes when all training is over, its *second stage*. The second is the **recipe**:
each family has one that suits it, with a batch, a learning rate and an average of its own; so, but in the quick run, each
is also trained by the other's. The third is **chance**: one training says little, so that what stands here are
differences over seeds. Equal time means that steps were counted out beforehand by what a step costs; the table of costs
says how equal it came out.

Some things are there for one family alone. A VAE bounds the likelihood of an image and has an encoder; a GAN has
neither, and to give an image back its $z$ must be searched for.
"""


def found(findings: Findings) -> str:
    fid = {column: told(of(findings, column, "fid")) for column in findings["values"]}
    recall = {column: told(of(findings, column, "recall"), 2) for column in ("vae", "vae:fitted", "gan")}
    others = "; ".join(f"{NAMES[column]}: {value}" for column, value in fid.items() if "-by-" in column)
    return f"""
The Fréchet distance of the VAE's samples from N(0, I) was {fid["vae"]}, that of its second stage {fid["vae:fitted"]}, and
the GAN's {fid["gan"]}{f" ({others})" if others else ""}. Recall was {recall["vae"]}, {recall["vae:fitted"]} and
{recall["gan"]}. An image came back with a squared error of {told(of(findings, "vae", "mse"), 4)} by the VAE's encoder, and
of {told(of(findings, "gan", "inversion_mse"), 4)} by a search in the GAN. Of an image's likelihood the VAE says at least
{told(of(findings, "vae", "elbo"))} nats; the GAN says nothing.

**Where each is the right tool**, by these runs. {"".join(advice(findings))}
"""


def advice(findings: Findings) -> list[str]:
    """Sentences that follow from which is ahead; the VAE may choose its prior."""
    sides: dict[str, list[str]] = {"GAN": [], "VAE": [], "": []}
    for what in COUNTS:
        sides[winner(findings, what)].append(what)
    sides["VAE"].append("the likelihood of an image, which it alone has")
    said = [
        f"A {side} where this counts: {'; '.join(sides[side])}. " for side in ("VAE", "GAN") if sides[side]
    ]
    if sides[""]:
        said.append(f"These runs do not tell for: {'; '.join(sides[''])}.")
    return said


def winner(findings: Findings, what: str) -> str:
    """ "GAN" where it is ahead of the VAE with either prior, "VAE" where that is ahead with one of them."""
    found = {ahead(findings, what, column) for column in ("vae", "vae:fitted")}
    return "VAE" if "VAE" in found else "GAN" if found == {"GAN"} else ""


PREDICTIONS = (
    Choice(
        "nearest", "Whose samples are nearest to real images, by the Fréchet distance?",
        tuple(NAMES[column] for column in ("vae", "vae:fitted", "gan")),
        lambda f: best(f, "fid", lowest=True),
    ),
    Choice(
        "covers", "Whose samples cover most of the real images, by recall?",
        tuple(NAMES[column] for column in ("vae", "vae:fitted", "gan")),
        lambda f: best(f, "recall", lowest=False),
    ),
    Guess(
        "prior", "By how much does the second stage divide the VAE's Fréchet distance?", 0.5, 10, 0.5,
        lambda f: divided(f), "times",
    ),
)  # fmt: skip


def divided(findings: Findings) -> float | None:
    found = halvings(findings, "vae:fitted", "vae")
    return float(2 ** fmean(found)) if found else None


def best(findings: Findings, key: str, *, lowest: bool) -> str:
    means = {column: fmean(of(findings, column, key) or [1e9 if lowest else -1e9])
             for column in ("vae", "vae:fitted", "gan")}  # fmt: skip
    chosen = min(means, key=lambda column: means[column]) if lowest else max(means, key=lambda c: means[c])
    return NAMES[chosen]


LESSON = Lesson(
    name="compare",
    aliases=("q6",),
    title="VAE against GAN",
    question="With the same decoder and the same time, what does each do better, and is it the family that does it?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=found,
    reflections=(
        "A single number calls one of the two better. Which of its properties does that number not see?",
        "The second stage is fitted when training is over. Is the VAE with it still the same model? Could a GAN have one?",
        "Which of the differences would you expect to grow with a larger decoder or more time, and which to vanish?",
    ),
    sources=(
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        "I. Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        "L. Theis, A. van den Oord, M. Bethge, A note on the evaluation of generative models, ICLR 2016",
        "M. Lucic et al., Are GANs Created Equal?, NeurIPS 2018",
        "B. Dai, D. Wipf, Diagnosing and Enhancing VAE Models, ICLR 2019",
        "T. Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS 2019",
        "R. G. Miller, Jackknifing Variances, Annals of Mathematical Statistics, 1968",
        "C. Meehan, K. Chaudhuri, S. Dasgupta, A Non-Parametric Test to Detect Data-Copying, AISTATS 2020",
    ),
    seeds=SEEDS,
    unresolved=(
        "It trains each family by its own recipe alone, so that it says nothing of recipes, and for half as long: "
        "neither of the two is finished then."
    ),
    pictures=pictures,
)
