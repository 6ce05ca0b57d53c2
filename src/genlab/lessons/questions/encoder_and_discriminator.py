"""How do an encoder and a discriminator differ? One trunk, trained once as the one and once as the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Guess, Lesson, Scale, Setting
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.encoder_and_discriminator_evidence import TRUNKS, evidence, pictures
from genlab.lessons.tasks import Found, Task
from genlab.lessons.writing.source import code
from genlab.recipes import recipe

SEEDS: dict[Scale, int] = {"quick": 2, "default": 5, "full": 8}
STEPS: dict[Scale, int] = {"quick": 300, "default": 1000, "full": 6000}
FIT: dict[Scale, tuple[int, int]] = {"quick": (1500, 1000), "default": (2500, 2000), "full": (4000, 4000)}
SCORED: dict[Scale, int] = {"quick": 2000, "default": 5000, "full": 10_000}
ALONE = (0, 1, 3, 10, 30, 100)
AHEAD: dict[Scale, tuple[int, ...]] = {"quick": ALONE, "default": (*ALONE, 300), "full": (*ALONE, 300, 1000)}
SEEN = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
TRUNK = ("kind=conv", "width=16", "depth=1", "hidden=256", "norm=none")
ARMS = {"vae": "", "non-saturating": "gan", "hinge": "gan"}
STEP = {"vae": 0.024, "gan": 0.038}  # seconds of a training step on one thread


def config(setting: Setting, arm: str, seed: int) -> dict[str, Any]:
    family = "vae" if arm == "vae" else "gan"
    chosen = recipe(
        family, *(f"network.{part}.{each}" for part in ("encoder", "discriminator") for each in TRUNK),
        *([] if arm == "vae" else [f"objective.loss={arm}"]),
        "optimizer.learning_rate=1e-3", "optimizer.discriminator_rate=null", "optimizer.beta1=0", "optimizer.beta2=0.99", "optimizer.final=1",
        f"training.steps={STEPS[setting.scale]}", f"training.seed={seed}", f"data.name={setting.data}",
        "training.batch_size=64", "training.ema=0", "training.threads=1", "training.sample_every=0",
    )  # fmt: skip
    return chosen.model_dump(mode="json")


def tasks(setting: Setting) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for seed in setting.seeds(SEEDS):
        found |= {f"{key}/{seed}": task for key, task in of_a_seed(setting, seed).items()}
    return found


def of_a_seed(setting: Setting, seed: int) -> dict[str, Task]:
    scale, told = setting.scale, config(setting, "vae", seed)
    steps, marks = STEPS[scale], AHEAD[scale]
    vae = Task(f"train a VAE, seed {seed}", "training.train", {"config": told}, seconds=STEP["vae"] * steps)
    gans = {
        loss: Task(
            f"train a GAN, {loss}, seed {seed}", "twin.train",
            {"config": config(setting, loss, seed), "encoder": told}, seconds=STEP["gan"] * steps,
        )
        for loss in ("non-saturating", "hinge")
    }  # fmt: skip
    gan, hinge = gans.values()
    fit, held_out = FIT[scale]
    return {
        "vae": vae, **gans,
        "probes": Task(f"linear probes, seed {seed}", "probing.probes",
                       {"fit": fit, "held_out": held_out}, (vae, gan), seconds=fit / 130),
        "scores": Task(f"scores and saliency, seed {seed}", "scores.measured",
                       {"count": SCORED[scale]}, (vae, gan, hinge), seconds=SCORED[scale] / 800),
        "ahead": Task(f"the discriminator ahead, seed {seed}", "ahead.discriminator",
                      {"marks": marks}, (gan,), seconds=3 + marks[-1] / 40),
        "ahead-hinge": Task(f"the hinge critic ahead, seed {seed}", "ahead.discriminator",
                            {"marks": (0, marks[-1])}, (hinge,), seconds=2 + marks[-1] / 40),
        "ahead-encoder": Task(f"the encoder ahead, seed {seed}", "ahead.encoder",
                              {"marks": marks}, (vae,), seconds=2 + marks[-1] / 45),
        "optimum": Task(f"two Gaussians, seed {seed}", "optimum.gaussians",
                        {"seed": seed, "marks": SEEN}, seconds=3),
    }  # fmt: skip


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    seeds = list(setting.seeds(SEEDS))

    def all_of(key: str) -> list[Found]:
        return [found[f"{key}/{seed}"] for seed in seeds]

    probes = all_of("probes")
    return {
        "seeds": seeds,
        "steps": STEPS[setting.scale],
        "fit": FIT[setting.scale][0],
        "difference": [each["difference"] for each in all_of("non-saturating")],
        "diverged": {arm: [each["diverged"] for each in all_of(arm)] for arm in ARMS},
        "probes": {trunk: [each[trunk] for each in probes] for trunk in TRUNKS},
        "chance": [each["chance"] for each in probes],
        "scores": all_of("scores"),
        "ahead": {
            "discriminator": [each["rows"] for each in all_of("ahead")],
            "hinge": [each["rows"] for each in all_of("ahead-hinge")],
            "encoder": [each["rows"] for each in all_of("ahead-encoder")],
        },
        "optimum": all_of("optimum"),
    }


# What the claims read: one number for each seed.


def last_layer(findings: Findings, trunk: str, target: str) -> list[float]:
    """What a probe of the trunk's last layer reads, in per cent."""
    layer = len(findings["probes"]["untrained"][0]) - 1  # which has no output after its trunk
    return [100 * rows[layer][target] for rows in findings["probes"][trunk]]


def apart(findings: Findings, first: str, second: str, target: str) -> list[float]:
    """Percentage points by which the first trunk's last layer lies above the second's."""
    pairs = zip(last_layer(findings, first, target), last_layer(findings, second, target), strict=True)
    return [a - b for a, b in pairs]


def of_the_logit(findings: Findings) -> list[float]:
    """Percentage points by which the class is read from the logit more often than by always naming the most
    frequent one."""
    pairs = zip(findings["probes"]["discriminator"], findings["chance"], strict=True)
    return [100 * (rows[-1]["class"] - chance) for rows, chance in pairs]


def calibration(findings: Findings, player: str, at: int) -> list[float]:
    return [100 * rows[at]["calibration"] for rows in findings["ahead"][player]]


def moved(findings: Findings, player: str, key: str) -> list[float]:
    """By how much the partner's loss rose while the player went on alone, nats."""
    return [rows[-1][key] - rows[0][key] for rows in findings["ahead"][player]]


def decades(findings: Findings, loss: str) -> list[float]:
    """log₁₀ of the gradient that the generator's images get from the discriminator that was trained ahead,
    over that of the one it learned with."""
    key = f"{loss} gradient"
    return [math.log10(rows[-1][key] / rows[0][key]) for rows in findings["ahead"]["discriminator"]]


def between(findings: Findings) -> list[float]:
    rows = [each[-1] for each in findings["ahead"]["discriminator"]]
    return [math.log10(row["non-saturating gradient"] / row["minimax gradient"]) for row in rows]


def short_of_most(findings: Findings, loss: str) -> list[float]:
    """Percentage points by which the accuracy on two Gaussians lies below the greatest there is."""
    return [100 * (each["most"] - each[loss]["rows"][-1]["accuracy"]) for each in findings["optimum"]]


def excess(findings: Findings) -> list[float]:
    return [each["non-saturating"]["rows"][-1]["excess"] for each in findings["optimum"]]


CLAIMS = (
    Claim(
        "rebuild", "Purpose: an encoder keeps what an image is rebuilt from, a discriminator only what tells real from generated.",
        "share of the pixels' variance that a linear map recovers, the encoder's last layer less the discriminator's",
        lambda f: apart(f, "encoder", "discriminator", "pixels"), low=5, unit="points", digits=1,
    ),
    Claim(
        "class", "Purpose: an encoder understands what is in an image, better than a discriminator does.",
        "digits that a linear map names rightly, from the encoder's last layer less from the discriminator's",
        lambda f: apart(f, "encoder", "discriminator", "class"), low=1, unit="points", digits=1,
    ),
    Claim(
        "learned", "Purpose: a discriminator learns what is in an image, though nobody told it the classes.",
        "digits that a linear map names rightly, from the discriminator's last layer less from the trunk before training",
        lambda f: apart(f, "discriminator", "untrained", "class"), low=1, unit="points", digits=1,
    ),
    Claim(
        "real", "Purpose: a discriminator is there to tell real from generated, which an encoder cannot do as well.",
        "images that a linear map places rightly, from the discriminator's last layer less from the encoder's",
        lambda f: apart(f, "discriminator", "encoder", "real"), low=1, unit="points", digits=1,
    ),
    Claim(
        "one-number", "Output: a code describes the image; a discriminator's one number says nothing of what is in it.",
        "digits that a linear map names rightly from the logit, above always naming the most frequent one",
        of_the_logit, high=5, unit="points", digits=1,
    ),
    Claim(
        "probability", "Output: a discriminator gives the probability that an image is real.",
        "calibration error of sigmoid(logit), non-saturating loss, where the training ended",
        lambda f: calibration(f, "discriminator", 0), high=5, unit="points", digits=1,
    ),
    Claim(
        "probability-settled", "Output: it gives that probability once the generator stands still.",
        "calibration error of sigmoid(logit), non-saturating loss, after steps of the discriminator alone",
        lambda f: calibration(f, "discriminator", -1), high=5, unit="points", digits=1,
    ),
    Claim(
        "probability-hinge", "Output: so does a critic of the hinge loss.",
        "calibration error of sigmoid(score), hinge loss, after steps of the critic alone",
        lambda f: calibration(f, "hinge", -1), high=5, unit="points", digits=1,
    ),
    Claim(
        "optimum", "Objective: what a discriminator approaches is p/(p + q), the ratio of two densities.",
        f"expected loss above that of p/(p + q) on two Gaussians, after {SEEN[-1]:,} draws",
        excess, high=0.01, unit="nats", digits=4,
    ),
    Claim(
        "accuracy", "Objective: a discriminator maximises its accuracy.",
        f"accuracy below the greatest possible on two Gaussians, non-saturating loss, after {SEEN[-1]:,} draws",
        lambda f: short_of_most(f, "non-saturating"), high=0.25, unit="points",
    ),
    Claim(
        "accuracy-wasserstein", "Objective: so does a Wasserstein critic.",
        f"accuracy of its score's sign below the greatest possible on two Gaussians, after {SEEN[-1]:,} draws",
        lambda f: short_of_most(f, "wasserstein"), high=0.25, unit="points",
    ),
    Claim(
        "cooperation", "Cooperation: what an encoder learns helps its decoder.",
        "rise of the decoder's loss as the encoder goes on alone",
        lambda f: moved(f, "encoder", "loss"), high=-0.1, unit="nats",
    ),
    Claim(
        "competition", "Competition: what a discriminator learns hurts its generator.",
        "rise of the generator's loss as the discriminator goes on alone",
        lambda f: moved(f, "discriminator", "non-saturating loss"), low=0.1, unit="nats",
    ),
    Claim(
        "success-minimax", "The discriminator's success improves the generator: by the minimax loss it is told no less.",
        "orders of magnitude (log₁₀) by which its gradient grows as the discriminator is trained ahead",
        lambda f: decades(f, "minimax"), low=-0.3, unit="orders of magnitude",
    ),
    Claim(
        "success-nonsaturating", "The discriminator's success improves the generator: by the non-saturating loss it is told no less.",
        "orders of magnitude (log₁₀) by which its gradient grows as the discriminator is trained ahead",
        lambda f: decades(f, "non-saturating"), low=-0.3, unit="orders of magnitude",
    ),
    Claim(
        "loss-matters", "Under a discriminator that is sure, the choice of the generator's loss decides whether it is told anything.",
        "orders of magnitude (log₁₀) between the non-saturating and the minimax gradient after training ahead",
        between, low=1, unit="orders of magnitude",
    ),
)  # fmt: skip


def text() -> str:
    return rf"""
A VAE's encoder and a GAN's discriminator both take an image and make it smaller and smaller. In this lab they are one
network, a `Trunk`, under two heads. The encoder's head gives $2d$ numbers, the mean and the log-variance of a
distribution of codes $q(z \mid x)$; the discriminator's gives one, a *logit*:

{code("genlab.networks.encoder", "Encoder")}

{code("genlab.networks.discriminator", "Discriminator")}

The rest of the difference is the loss that they descend, and who descends what beside them. The encoder and the decoder
share one loss, $-\mathbb{{E}}_q[\ln p(x \mid z)] + \mathrm{{KL}}(q(z \mid x) \,\|\, p(z))$. The discriminator has its
own, and the generator another. With the logit $\ell(x)$ and the function softplus $s(t) = \ln(1 + e^t)$,

$$L_D = \mathbb{{E}}_{{p}}[s(-\ell(x))] + \mathbb{{E}}_{{q}}[s(\ell(x))] ,$$

and the generator descends $-\mathbb{{E}}_{{q}}[s(\ell(x))]$, the *minimax* loss, or $\mathbb{{E}}_{{q}}[s(-\ell(x))]$,
the *non-saturating* one.

For given densities $p$ of the real images and $q$ of the generated ones, the least $L_D$ is at
$\sigma(\ell) = p/(p+q)$ and is $2 \ln 2 - 2\,\mathrm{{JS}}(p, q)$. Another loss has another optimum: the hinge loss
$\mathbb{{E}}_p[\max(0, 1 - \ell)] + \mathbb{{E}}_q[\max(0, 1 + \ell)]$ asks for the sign of $p - q$ and for no more, and the
Wasserstein loss $\mathbb{{E}}_q[\ell] - \mathbb{{E}}_p[\ell]$ not even for a sign: it is the same for $\ell + c$.

So one trunk is trained twice here, from the same weights, on the same real images in the same order, by the same
optimizer: once as an encoder, once as a discriminator (and once more with the hinge loss). Then everything is asked of
both. *Linear probes* ask what can be read from each layer by one linear map: the class of the digit, the pixels, and
whether the image is real. The discriminator's sigmoid is held against the share of real images. One player learns on,
at a rate that falls to nothing so that it settles, while its partner stands still. And on two Gaussians, where $p/(p+q)$ is known, a small discriminator is held against it.
"""


def said(findings: Findings) -> str:
    def reads(target: str) -> str:
        return ", ".join(
            f"{fmean(last_layer(findings, trunk, target)):.1f} % from {label}"
            for trunk, label in READ.items()
        )

    first, last = ([rows[at] for rows in findings["ahead"]["discriminator"]] for at in (0, -1))
    scaled = [each["non-saturating"]["scaled"] for each in findings["scores"]]
    lost = [fmean(row["loss"] for row in each) for each in zip(*scaled, strict=True)]
    return f"""
From the trunk's last layer a linear map named this many test digits rightly: {reads("class")}. It told real images from
the generator's: {reads("real")}; and of the pixels' variance it recovered: {reads("pixels")}. From the discriminator's
logit alone it named {told(of_the_logit(findings))} points more digits than one does without looking.

The discriminator's sigmoid was off as a probability by {told(calibration(findings, "discriminator", 0))} points where
the training ended, and by {told(calibration(findings, "discriminator", -1))} after {last[0]["steps"]:,} further steps
against a generator that stood still; the hinge critic's by {told(calibration(findings, "hinge", 0))} and
{told(calibration(findings, "hinge", -1))}. On two Gaussians the logistic discriminator came within
{told(excess(findings), 4)} nats of the loss of p/(p + q), and to an accuracy {told(short_of_most(findings, "non-saturating"), 2)} points below the
{100 * findings["optimum"][0]["most"]:.2f} % that are possible; the Wasserstein critic's stayed {told(short_of_most(findings, "wasserstein"), 2)} below.

Accuracy is not what the logistic loss asks for: one discriminator, its logits multiplied by {" or ".join(f"{row['scale']:g}" for row in scaled[0])}, decides alike and loses {", ".join(f"{each:.2f}" for each in lost)} nats. In {last[0]["steps"]:,} steps alone the
encoder moved its decoder's loss by {told(moved(findings, "encoder", "loss"), 2)} nats, and the discriminator its
generator's by {told(moved(findings, "discriminator", "non-saturating loss"), 2)}.

Trained ahead, the discriminator's accuracy went from {100 * fmean(row["accuracy"] for row in first):.1f} to
{100 * fmean(row["accuracy"] for row in last):.1f} %. The gradient in a generated image went from
{fmean(row["minimax gradient"] for row in first):.3g} to {fmean(row["minimax gradient"] for row in last):.3g} by the minimax loss,
and from {fmean(row["non-saturating gradient"] for row in first):.3g} to {fmean(row["non-saturating gradient"] for row in last):.3g}
by the non-saturating one. In brackets: the smallest and largest over {len(findings["seeds"])} seeds.
"""


READ = {
    "encoder": "the encoder",
    "discriminator": "the discriminator",
    "untrained": "the trunk before training",
}


def grew(findings: Findings) -> str:
    mean = fmean(decades(findings, "minimax"))
    return GROWTH[0] if mean < -0.3 else GROWTH[2] if mean > 0.3 else GROWTH[1]


GROWTH = ("it falls to less than half", "it stays within a factor of two", "it more than doubles")

PREDICTIONS = (
    Choice(
        "reads", "From which trunk's last layer can a linear map best read which digit it is?",
        tuple(TRUNKS.values()),
        lambda f: TRUNKS[max(TRUNKS, key=lambda trunk: fmean(last_layer(f, trunk, "class")))],
    ),
    Guess(
        "named", "Of 100 digits, how many does a linear map of the discriminator's last layer name rightly?",
        0, 100, 1, lambda f: fmean(last_layer(f, "discriminator", "class")), "of 100",
    ),
    Guess(
        "calibration", "By how many percentage points is sigmoid(logit) off as a probability, where a training ended?",
        0, 50, 1, lambda f: fmean(calibration(f, "discriminator", 0)), "points",
    ),
    Choice(
        "ahead", "The discriminator is trained ahead. What becomes of the gradient that the minimax loss gives the generator?",
        GROWTH, grew,
    ),
)  # fmt: skip


LESSON = Lesson(
    name="encoder-and-discriminator",
    aliases=("q5",),
    title="How do an encoder and a discriminator differ?",
    question="One trunk, two trainings: what does each learn, what does its output mean, and whom does it help?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=said,
    reflections=(
        "Pixels can be recovered from a trunk that was never trained. What does a probe of a trained one show, then?",
        "A discriminator that is right about every image has learned p/(p + q). Why may its generator learn nothing from it?",
        "The encoder's head has many outputs and the discriminator's one. Which differences above would remain if both had one?",
    ),
    sources=(
        "I. Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, sections 3 and 4.1",
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        "M. Arjovsky, L. Bottou, Towards Principled Methods for Training Generative Adversarial Networks, ICLR 2017",
        "C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On Calibration of Modern Neural Networks, ICML 2017",
        "J. H. Lim, J. C. Ye, Geometric GAN, 2017",
        "G. Alain, Y. Bengio, Understanding intermediate layers using linear classifier probes, ICLR workshop 2017",
        "K. Simonyan, A. Vedaldi, A. Zisserman, Deep Inside Convolutional Networks, ICLR workshop 2014",
    ),
    seeds=SEEDS,
    unresolved="With two seeds an interval is wide, and after 300 steps the generator's images are easily told apart.",
    pictures=pictures,
)
