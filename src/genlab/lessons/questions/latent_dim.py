"""What does latent_dim do? VAEs and autoencoders with 1 to 128 dimensions, from few images and from many."""

from __future__ import annotations

from statistics import fmean

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Guess, Lesson
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.latent_dim_evidence import evidence, pictures
from genlab.lessons.questions.latent_dim_trials import (
    LIMITS,
    MODELS,
    SEEDS,
    SETS,
    SIDE,
    elbows,
    gap,
    grown,
    middle,
    mse,
    nested,
    over,
    raised,
    read,
    shares,
    tasks,
)
from genlab.lessons.writing.source import code

CLAIMS = (
    Claim(
        "small", "A code that is too small loses detail.",
        "VAE, squared error on test images with one dimension, over that with the most",
        lambda f: over(mse(f, "many", "vae")[0], mse(f, "many", "vae")[-1]), low=1.25, unit="times",
    ),
    Claim(
        "gap-vae", "A code that is too large overfits. A VAE: the gap.",
        f"gap of the squared error, test over training, from {LIMITS['few']} images, with the most dimensions "
        "less that with the middle number", lambda f: grown(gap(f, "few", "vae"), f), low=5, unit="points", digits=1,
    ),
    Claim(
        "gap-ae", "A code that is too large overfits. An autoencoder: the gap.",
        "the same of an autoencoder", lambda f: grown(gap(f, "few", "ae"), f), low=5, unit="points", digits=1,
    ),
    Claim(
        "worse-vae", "With a code that is too large, other images come back worse. A VAE's.",
        f"squared error on test images after training on {LIMITS['few']}, with the most dimensions over that "
        "with the middle number", lambda f: raised(mse(f, "few", "vae"), f), low=1.05, unit="times",
    ),
    Claim(
        "worse-ae", "With a code that is too large, other images come back worse. An autoencoder's.",
        "the same of an autoencoder", lambda f: raised(mse(f, "few", "ae"), f), low=1.05, unit="times",
    ),
    Claim(
        "prunes", "A VAE leaves unused what it does not need.",
        "share of the dimensions in use, of the most", lambda f: shares(f, "vae"), high=0.5,
    ),
    Claim(
        "fills", "An autoencoder uses all that it is given.",
        "share of the dimensions in use, of the most", lambda f: shares(f, "ae"), low=0.9,
    ),
    Claim(
        "harmless", "Beyond the size that it needs, more dimensions cost a VAE nothing of its likelihood.",
        "test NLL (a bound) with the most dimensions less that with the middle number",
        lambda f: grown(nested(f["used"]["vae"], lambda one: one["nll"]), f), high=1, unit="nats",
    ),
    Claim(
        "samples", "A code that is too large makes samples worse.",
        "VAE, Fréchet distance of samples from N(0, I) with the most dimensions, over that with the middle number",
        lambda f: raised(nested(f["samples"]["vae"], lambda one: one["prior"]["frechet"]), f),
        low=1.1, unit="times",
    ),
    Claim(
        "ten-two", "Where the elbow is depends on the data: ten digits need more than two.",
        "size at the elbow, ten digits over two", lambda f: over(elbows(f, "ten"), elbows(f, "two")),
        low=1.25, unit="times",
    ),
    Claim(
        "stacked-ten", "Where the elbow is depends on the data: three digits in one image need more than one.",
        "size at the elbow, three digits as RGB over one digit",
        lambda f: over(elbows(f, "stacked"), elbows(f, "ten")), low=1.25, unit="times",
    ),
)  # fmt: skip


def text() -> str:
    return rf"""
The code $z$ of an image is a vector with `latent_dim` entries, and all that the decoder knows of the image. With one entry
there is little room in it; with 784, as many as a digit has pixels, an encoder could copy the image. Between the two
stands a choice that one has to make before the training, and a good deal of advice on it: *too small, and detail is lost;
too large, and it overfits; the right size depends on the data*. Here are trainings from 1 to 128 dimensions, to see.

A word on words. The *smaller* the code, the *more* is compressed: one dimension compresses too much, and 128, perhaps,
too little. The two are easily called by each other's names.

Two models are held side by side, because a limit on the entries is not the only limit on a code. An **autoencoder** has
no other: its code is a number as exact as the machine allows. A **VAE** pays for what its code says,

$$\text{{loss}} = \mathbb{{E}}_{{q(z \mid x)}}[-\ln p(x \mid z)] + \mathrm{{KL}}\big(q(z \mid x) \,\|\, \mathcal{{N}}(0, I)\big),$$

dimension by dimension, and may leave a dimension at the prior, where it costs nothing and says nothing. Whether it does so
is one of the questions. A dimension counts as used here if the images come back worse without it, which can be asked of
both models. So that it is no matter how finely a code is spread over its dimensions, those on which little hangs are taken away
together:

{code("genlab.lessons.work.dimensions", "dimensions_used")}

To *overfit* is to do better on the images of the training than on others like them, at the expense of the others. Two numbers
belong to it: the gap between the two, and whether *other* images come back worse with a larger code than with a smaller one. A gap
that grows while other images come back better costs nothing; other images that come back worse without a larger gap have another
cause. Where images are many and the training is short there is nothing to learn by heart. So every size is trained on {LIMITS["many"]:,} images and
again on {LIMITS["few"]:,}, which provokes it: what is found there is the tendency, not what one meets in every training.

Last, the **elbow**: where more dimensions bring little more. It is taken where nine tenths of the fall of the error are done, on
three sets that differ in how much there is to say: two digits, ten digits, and three digits stacked as the red, green and blue of
one image, each {SIDE} pixels wide. All trainings are of the same number of steps, and a verdict is one on trainings of that length:
a larger model may need more of them.
"""


def said(findings: Findings) -> str:
    sizes, mid = findings["sizes"], middle(findings)
    few = {model: mse(findings, "few", model) for model in MODELS}
    gaps = {model: gap(findings, "few", model) for model in MODELS}
    used = {model: told([each["used"] for each in findings["used"][model][-1]]) for model in MODELS}
    places = ", ".join(f"{told(elbows(findings, name))} for {title}" for name, title in SETS.items())
    many = mse(findings, "many", "vae")
    return f"""
From {LIMITS["many"]:,} images the VAE's squared error on test images was {told(many[0], 4)} with one dimension,
{told(many[mid], 4)} with {sizes[mid]} and {told(many[-1], 4)} with {sizes[-1]}. Of {sizes[-1]} dimensions it used
{used["vae"]}, the autoencoder {used["ae"]}.

From {LIMITS["few"]:,} images the error of test images stood {told(gaps["vae"][mid])} % above that of training images with
{sizes[mid]} dimensions and {told(gaps["vae"][-1])} % with {sizes[-1]} (VAE), {told(gaps["ae"][mid])} % and
{told(gaps["ae"][-1])} % (autoencoder). The error of test images itself went from {told(few["vae"][mid], 4)} to
{told(few["vae"][-1], 4)} (VAE) and from {told(few["ae"][mid], 4)} to {told(few["ae"][-1], 4)} (autoencoder).

The elbow stood at {places}.
"""


def changed(ratio: float) -> str:
    return "worse" if ratio > 1.05 else "better" if ratio < 0.95 else "about as well"


PREDICTIONS = (
    Guess(
        "used", "Of 128 dimensions, how many does a VAE use?", 0, 128, 1,
        lambda f: fmean(each["used"] for each in f["used"]["vae"][-1]), "dimensions",
    ),
    Choice(
        "vae", "With few training images and 128 dimensions, how do a VAE's test images come back, against a middle size?",
        ("better", "about as well", "worse"), lambda f: changed(fmean(raised(mse(f, "few", "vae"), f))),
    ),
    Choice(
        "ae", "And an autoencoder's?",
        ("better", "about as well", "worse"), lambda f: changed(fmean(raised(mse(f, "few", "ae"), f))),
    ),
    Guess(
        "elbow", "At how many dimensions is the elbow for ten digits?", 1, 128, 1,
        lambda f: fmean(elbows(f, "ten")), "dimensions",
    ),
)  # fmt: skip


LESSON = Lesson(
    name="latent-dim",
    aliases=("q3",),
    title="What does latent_dim do?",
    question="Too small a code loses detail. What does a code lose that is too large?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=said,
    reflections=(
        "A VAE and an autoencoder have the same networks here. What limits the code of each?",
        "All sizes had the same number of steps. Which of the verdicts would you expect a longer training to change, and how would you see it?",
        "How would one choose latent_dim for images that nobody has tried, if the test images may not be looked at?",
    ),
    sources=(
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, section 5 and figure 2",
        "Y. Burda, R. Grosse, R. Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016, section 5.2",
        "B. Dai, D. Wipf, Diagnosing and Enhancing VAE Models, ICLR 2019",
        "L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, Unrolled Generative Adversarial Networks, ICLR 2017",
    ),
    seeds=SEEDS,
    unresolved="With four sizes two elbows can fall on the same one, and so short a training leaves large VAEs unfinished.",
    pictures=pictures,
)
