"""What does the KL term do to the latent space? VAEs from β = 0 up, and a linear one whose optimum is known."""

from __future__ import annotations

from statistics import fmean

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Guess, Lesson
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.kl_evidence import evidence, pictures
from genlab.lessons.questions.kl_trials import (
    LIMIT,
    LINEAR_UNITS,
    SEEDS,
    UNITS,
    collapsed,
    frechet,
    gaps,
    largest,
    less,
    miscounted,
    missed,
    of_space,
    of_test,
    optimum,
    over,
    read,
    read_from_plane,
    tasks,
)
from genlab.lessons.writing.source import code

CLAIMS = (
    Claim(
        "prior", "The KL term makes the codes, taken together, follow N(0, I).",
        "KL(q(z) ‖ N(0, I)) of the aggregate posterior at β = 1, from below",
        lambda f: of_space(f, "1", "marginal_kl"), high=1, unit="nats",
    ),
    Claim(
        "classes", "The KL term structures the space: like comes to lie with like.",
        "percentage points by which a test image's class is better read from its neighbours in the plane at "
        "β = 1 than at β = 0", read_from_plane, low=2, unit="points", digits=1,
    ),
    Claim(
        "samples", "The KL term makes samples from the prior meaningful.",
        "Fréchet distance of samples from N(0, I) at β = 0, over the same at β = 1",
        lambda f: over(frechet(f, "0"), frechet(f, "1")), low=1.25, unit="times",
    ),
    Claim(
        "holes", "Without it the codes have holes, and not only another scale than N(0, I).",
        "Fréchet distance at β = 0 of samples from a Gaussian fitted to the codes, over that at β = 1 of "
        "samples from N(0, I)", lambda f: over(frechet(f, "0", "codes"), frechet(f, "1")), low=1.25, unit="times",
    ),
    Claim(
        "smooth", "The KL term makes the way from one code to another smooth.",
        "largest step over mean step between two test images' codes at β = 0, over the same at β = 1",
        lambda f: over(of_space(f, "0", "jump"), of_space(f, "1", "jump")), low=1.1, unit="times",
    ),
    Claim(
        "regularises", f"The KL term regularises: from {LIMIT:,} images less is learned by heart.",
        "gap of the reconstruction, test less training images, at β = 0 less that at β = 1",
        lambda f: less(gaps(f, "0"), gaps(f, "1")), low=1, unit="nats", digits=1,
    ),
    Claim(
        "trade", "The KL term is paid for with reconstruction.",
        "reconstruction lost on test images at β = 1 against β = 0",
        lambda f: less(of_test(f, "1", "distortion"), of_test(f, "0", "distortion")),
        low=1, unit="nats", digits=1,
    ),
    Claim(
        "collapse", "Too much of it collapses units.",
        f"active units of {UNITS} at β = 1, less those at the largest β", collapsed, low=1, unit="units", digits=1,
    ),
    Claim(
        "predicted", "Which units collapse is predicted exactly in the linear case: those with λ ≤ βσ².",
        "largest difference, over β, between the predicted and the measured number of active units",
        miscounted, low=0, high=0, unit="units",
    ),
    Claim(
        "curve", "A linear VAE comes to lie on its exact rate–distortion curve.",
        "largest excess, over β, of D + βR over its least value", missed, high=1, unit="nats",
    ),
)  # fmt: skip


def text() -> str:
    return rf"""
A VAE's encoder gives for every image a distribution of codes, and its loss has two terms,

$$D + \beta R, \qquad D = \mathbb{{E}}_{{q(z \mid x)}}[-\ln p(x \mid z)], \qquad
R = \mathrm{{KL}}\big(q(z \mid x) \,\|\, \mathcal{{N}}(0, I)\big).$$

$D$, the **distortion**, asks that the image come back. $R$, the **rate**, asks that the codes of *this* image look like
the codes of *any*: like draws from the prior $\mathcal{{N}}(0, I)$. It is the number of nats that $z$ tells of $x$, or more
exactly a bound on it from above. $\beta = 1$ is the ELBO; at $\beta = 0$ nothing asks anything of the codes. For
diagonal Gaussians the rate is a sum over the dimensions of $z$, here called *units*:

{code("genlab.functional.gaussian", "kl_per_dimension")}

Many things are said of this term: that it *structures* the latent space, that it makes samples from the prior
*meaningful*, that it *regularises*, that it is paid for with *reconstruction*, and that too much of it makes units
*collapse*, so that they say nothing of any image. Each can be measured. VAEs are trained that differ in $\beta$ alone,
over two orders of magnitude and with 0 among them. Of each are taken the two terms, unit by unit; how far all its codes
together, $q(z) = \frac{{1}}{{N}} \sum_i q(z \mid x_i)$, lie from the prior; how far samples lie from test images; and how evenly
an image changes on the straight line from one code to another. If samples at $\beta = 0$ are bad, it may only be that the
codes have grown large, and the draw is from the wrong scale; so a second draw is from a Gaussian with the mean and
covariance of the codes. VAEs of two units show the whole space in a picture. And whether anything is learned by
heart shows only where images are few, so that {LIMIT:,} of them must do for one comparison.

In one case all of this is known beforehand. If encoder and decoder are linear, with
$p(x \mid z) = \mathcal{{N}}(Wz + b, \sigma^2 I)$, only the eigenvalues $\lambda_1 \ge \lambda_2 \ge \dots$ of the images'
covariance count: unit $j$ is worth its price as long as $\lambda_j > \beta \sigma^2$, and then says
$\frac{{1}}{{2}} \ln (\lambda_j / \beta\sigma^2)$ nats.

{code("genlab.lessons.rate_distortion", "linear_optimum")}

Whether a linear VAE, trained like any other, finds this optimum is measured too. All trainings are short, and of equal length: a
verdict is one on trainings of that length.
"""


def said(findings: Findings) -> str:
    top = largest(findings)
    linear = "; ".join(
        f"{optimum(findings, float(beta)).active} predicted and {told([row['active'] for row in rows])} found "
        f"at β = {beta}"
        for beta, rows in findings["linear"]["runs"].items()
    )
    return f"""
On test images the rate was {told(of_test(findings, "0", "rate"))} nats at β = 0, {told(of_test(findings, "1", "rate"))} at
β = 1 and {told(of_test(findings, top, "rate"))} at β = {top}; the distortion {told(of_test(findings, "0", "distortion"))},
{told(of_test(findings, "1", "distortion"))} and {told(of_test(findings, top, "distortion"))} nats. Active units were
{told(of_test(findings, "0", "active"))}, {told(of_test(findings, "1", "active"))} and
{told(of_test(findings, top, "active"))} of {UNITS}.

The codes together lay {told(of_space(findings, "1", "marginal_kl"))} nats or more from N(0, I) at β = 1, and
{told(of_space(findings, "0", "marginal_kl"))} at β = 0. Samples from N(0, I) had a Fréchet distance of
{told(frechet(findings, "0"))} at β = 0 and of {told(frechet(findings, "1"))} at β = 1; drawn from a Gaussian like the codes,
{told(frechet(findings, "0", "codes"))} and {told(frechet(findings, "1", "codes"))}. From the plane the class of a test image was read rightly in
{share(findings, "0")} of cases at β = 0, in {share(findings, "1")} at β = 1.

From {LIMIT:,} images the distortion's gap between test and training was {told(gaps(findings, "0"))} nats at β = 0,
{told(gaps(findings, "1"))} at β = 1.

Of {LINEAR_UNITS} units of the linear VAE were active: {linear}.
"""


def share(findings: Findings, beta: str) -> str:
    values = [None if each is None else 100 * each for each in findings["plane"][beta]["neighbours"]]
    return f"{told(values)} %"


def which(value: float, low: float, words: tuple[str, str, str]) -> str:
    return words[0] if value > low else words[2] if value < -low else words[1]


PREDICTIONS = (
    Choice(
        "best", "At which β do samples from N(0, I) lie nearest to test images?",
        ("0", "between 0 and 1", "1", "above 1"),
        lambda f: place(min(f["samples"], key=lambda beta: fmean(frechet(f, beta)))),
    ),
    Guess(
        "active", f"How many of {UNITS} units are active at the largest β?", 0, UNITS, 1,
        lambda f: fmean(of_test(f, largest(f), "active")), "units",
    ),
    Choice(
        "plane", "In a plane of codes, is a digit better read from its neighbours with the KL term or without?",
        ("with it", "no difference", "without it"),
        lambda f: which(fmean(read_from_plane(f)), 2, ("with it", "no difference", "without it"))
        if read_from_plane(f) else None,
    ),
    Choice(
        "smooth", "Is the way from one code to another more even with the KL term or without?",
        ("with it", "no difference", "without it"),
        lambda f: which(
            fmean(over(of_space(f, "0", "jump"), of_space(f, "1", "jump"))) - 1, 0.1,
            ("with it", "no difference", "without it"),
        ),
    ),
)  # fmt: skip


def place(beta: str) -> str:
    value = float(beta)
    return beta if value in (0, 1) else "between 0 and 1" if value < 1 else "above 1"


LESSON = Lesson(
    name="kl",
    aliases=("q2",),
    title="What does the KL term do to the latent space?",
    question="It asks every image's codes to look like draws from N(0, I). What comes of that, and at what price?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=said,
    reflections=(
        "At β = 0 each image has nearly a point for a code. What does the decoder know of the space between?",
        "In the linear case every active unit keeps the variance βσ² unsaid. Why is it the same for all?",
        "The ELBO is the loss at β = 1. Why might one choose another β all the same, and how would one say which?",
    ),
    sources=(
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        "I. Higgins et al., β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework, ICLR 2017",
        "A. A. Alemi et al., Fixing a Broken ELBO, ICML 2018",
        "J. Lucas, G. Tucker, R. Grosse, M. Norouzi, Don't Blame the ELBO! A Linear VAE Perspective on Posterior "
        "Collapse, NeurIPS 2019",
        "M. D. Hoffman, M. J. Johnson, ELBO surgery, NIPS workshop 2016",
        "P. Ghosh et al., From Variational to Deterministic Autoencoders, ICLR 2020",
    ),
    seeds=SEEDS,
    unresolved="With two seeds an interval is wide, and so short trainings leave at a large β what longer ones prune.",
    pictures=pictures,
)
