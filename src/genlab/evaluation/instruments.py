"""The catalogue of instruments: what each number means, which way is better, what it sees and what not.

Light: nothing here imports torch, so that a table can be drawn without it. An instrument is a metric on a
feature network ("fid" on the data's own one, "fid/texture" on fixed random filters) or a quantity of the
model itself. `genlab.evaluation.calibration` measures what each of them sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "near", "neither"]
Group = Literal["fidelity", "coverage", "classes", "copying", "likelihood", "latent space", "reconstruction"]


@dataclass(frozen=True)
class Instrument:
    """`better` says which way; "near" a `target`, "neither" describes and does not judge. `network` is the
    role of the feature network it looks through: "own", "texture", or none. `standard` instruments are in
    every report, the others in a full one. `sees` and `blind` are what one must know to read the number."""

    key: str
    label: str
    unit: str
    group: Group
    better: Better
    sees: str
    blind: str
    network: Literal["own", "texture"] | None = None
    target: float | None = None
    digits: int = 2
    standard: bool = True
    log: bool = False  # whether differences are easier to see on a log scale

    @property
    def heading(self) -> str:
        """The label with its direction: "FID ↓", "sharpness → 1"."""
        signs = {
            "lower": " ↓",
            "higher": " ↑",
            "near": f" → {self.target:g}" if self.target is not None else "",
        }
        return self.label + signs.get(self.better, "")


_ALL = (
    Instrument(
        "fid", "FID", "squared feature units", "fidelity", "lower",
        sees="How far the cloud of samples lies from that of test images: means and covariances of features.",
        blind="What the network ignores, and everything beyond two moments. It rises as N falls.",
        network="own", digits=1, log=True,
    ),
    Instrument(
        "fid/texture", "texture FID", "squared feature units", "fidelity", "lower",
        sees="Blur, noise, broken and doubled strokes: the statistics of small neighbourhoods.",
        blind="Meaning: it does not know a digit from a scribble of the same stroke.",
        network="texture", digits=2, log=True,
    ),
    Instrument(
        "fid_infinity", "FID∞", "squared feature units", "fidelity", "lower",
        sees="What FID would be for endlessly many samples: the intercept of FID against 1/N.",
        blind="As FID; an extrapolation, so noisier, and it may lie below 0.",
        network="own", digits=1,
    ),
    Instrument(
        "kid", "KID × 1000", "squared kernel distance", "fidelity", "lower",
        sees="Differences up to third moments of features, without FID's bias: its null is 0 at any N.",
        blind="What the network ignores. Small values may be negative: that is noise about 0.",
        network="own", digits=2, log=True,
    ),
    Instrument(
        "precision", "precision", "of the samples", "fidelity", "higher",
        sees="The share of samples that lie where test images are.",
        blind="Missing kinds: one perfect image repeated has 1. Outliers among the reals inflate it.",
        network="own", digits=3,
    ),
    Instrument(
        "recall", "recall", "of the test images", "coverage", "higher",
        sees="The share of test images that lie where samples are.",
        blind="Quality: samples scattered widely cover everything.",
        network="own", digits=3,
    ),
    Instrument(
        "density", "density", "relative to test images", "fidelity", "near",
        sees="How densely test images surround the samples; above 1 the samples crowd typical places.",
        blind="Variety, and it depends on how the reals are spread.",
        network="own", target=1.0, digits=3, standard=False,
    ),
    Instrument(
        "coverage", "coverage", "of the test images", "coverage", "higher",
        sees="The share of test images that have a sample among their nearest neighbours; .969 at best.",
        blind="What lies beyond that neighbourhood.",
        network="own", digits=3,
    ),
    Instrument(
        "ndb", "NDB / K", "of the bins", "coverage", "lower",
        sees="Kinds of images drawn too often or too rarely: the share of 100 clusters that differ.",
        blind="Quality within a cluster. At 0.05 nothing differs.",
        network="own", digits=2,
    ),
    Instrument(
        "c2st", "two-sample test", "accuracy", "fidelity", "near",
        sees="Whether a small network can learn to tell samples from test images: 0.5 cannot, 1 always can.",
        blind="How much the difference matters to the eye; it saturates at 1.",
        network="own", target=0.5, digits=3,
    ),
    Instrument(
        "c2st/texture", "texture two-sample test", "accuracy", "fidelity", "near",
        sees="The same on the texture network: the slightest blur or noise.",
        blind="How much the difference matters to the eye; it saturates at 1.",
        network="texture", target=0.5, digits=3, standard=False,
    ),
    Instrument(
        "classes", "classes", "of those known", "classes", "higher",
        sees="Whether any class is missing: how many have at least a tenth of an equal share.",
        blind="Variety within a class: one perfect 7 repeated counts as all sevens.",
        network="own", digits=0,
    ),
    Instrument(
        "class_divergence", "class KL", "nats", "classes", "lower",
        sees="Classes drawn in other proportions than the test images have: KL of the class shares.",
        blind="Everything within a class.",
        network="own", digits=4, log=True,
    ),
    Instrument(
        "evenness", "evenness", "of ln K", "classes", "neither",
        sees="How evenly the samples spread over the classes: their entropy as a fraction of the largest.",
        blind="Everything within a class.",
        network="own", digits=3, standard=False,
    ),
    Instrument(
        "confidence", "confidence", "mean largest probability", "classes", "neither",
        sees="Whether samples look like some class to the classifier.",
        blind="Variety, and blur that leaves the class plain.",
        network="own", digits=3, standard=False,
    ),
    Instrument(
        "class_score", "class score", "exp of nats", "classes", "higher",
        sees="Confidence and evenness in one, as the Inception Score: exp E KL(p(y|x) ‖ p(y)), at most K.",
        blind="Variety within a class, and the real images: it never looks at them.",
        network="own", digits=2, standard=False,
    ),
    Instrument(
        "sharpness", "sharpness", "relative to test images", "fidelity", "near",
        sees="Edges: energy of the Laplacian over the variance. Below 1 blurred, above 1 noisy or jagged.",
        blind="Whether the edges make a picture: noise is very sharp.",
        target=1.0,
    ),
    Instrument(
        "c_t", "copying C_T", "standard deviations", "copying", "near",
        sees="Copies: far below 0 the samples lie closer to training images than test images do.",
        blind="Quality: far above 0 only says far from every training image, as noise is.",
        network="own", target=0.0, digits=1,
    ),
    Instrument(
        "elbo", "ELBO", "nats per image", "likelihood", "higher",
        sees="How well the model explains held-out images: a lower bound on ln p(x).",
        blind="How samples look. Compares on one measure of pixels only.",
    ),
    Instrument(
        "nll", "NLL bound L_K", "nats per image", "likelihood", "lower",
        sees="−ln p(x) by importance sampling with K draws of the encoder: tighter than the ELBO.",
        blind="How samples look; still an upper bound, looser where the encoder is poor.",
    ),
    Instrument(
        "rate", "rate", "nats per image", "likelihood", "neither",
        sees="What the code says about an image: KL of the posterior from the prior.",
        blind="Whether what it says is of use.",
    ),
    Instrument(
        "distortion", "distortion", "nats per image", "likelihood", "neither",
        sees="The cost of describing the image once its code is known.",
        blind="The cost of the code.",
    ),
    Instrument(
        "active_units", "active units", "of the latents", "latent space", "neither",
        sees="Dimensions of z whose posterior mean moves with the image (variance above 0.01).",
        blind="How much a dimension carries.", digits=0,
    ),
    Instrument(
        "mutual_information", "mutual information", "nats", "latent space", "neither",
        sees="What z and x share under the encoder; the estimate cannot exceed ln N.",
        blind="Whether the decoder uses it.",
    ),
    Instrument(
        "marginal_kl", "aggregate KL ≥", "nats", "latent space", "neither",
        sees="At least how far the codes of all images together lie from the prior: holes samples fall into.",
        blind="A lower bound, from a density fitted to other codes: where it is negative it says nothing.",
    ),
    Instrument(
        "mse", "reconstruction MSE", "pixels in [0, 1], squared", "reconstruction", "lower",
        sees="What is lost through the code and back, by the posterior mean.",
        blind="Sharpness: a blurred mean is the best guess of a squared error.", digits=5, log=True,
    ),
    Instrument(
        "psnr", "PSNR", "dB", "reconstruction", "higher",
        sees="The same on a scale of decibels, averaged over images.",
        blind="As the squared error.", digits=1,
    ),
    Instrument(
        "ssim", "SSIM", "1 is equal", "reconstruction", "higher",
        sees="Whether local structure survives: means, contrasts and correlations of small windows.",
        blind="Meaning.", digits=3,
    ),
    Instrument(
        "inversion_mse", "inversion MSE", "pixels in [0, 1], squared", "reconstruction", "lower",
        sees="How near the generator comes to test images when z is searched for by gradient descent.",
        blind="A search, not an encoder: it may miss, and needs no meaning in z.",
        digits=5, log=True,
    ),
)  # fmt: skip

INSTRUMENTS: dict[str, Instrument] = {instrument.key: instrument for instrument in _ALL}
