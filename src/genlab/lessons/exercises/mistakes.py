"""The mistakes that are known for each equation: a wrong function, and what to say of it.

What is wrong is told by what a function does, not by how it is written: two ways to one mistake are one here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.functional.adversarial import (
    critic_generator_loss,
    hinge_discriminator_loss,
    logistic_discriminator_loss,
    minimax_generator_loss,
)
from genlab.functional.likelihood import bernoulli_nll
from genlab.lessons.exercises.laws import Mistake
from genlab.lessons.exercises.right import discriminator_loss, elbo, generator_loss, kl_divergence


def kl(mean: Tensor, log_var: Tensor, half: float = 0.5) -> Tensor:
    """(B, Z), each dimension's."""
    return half * (mean.square() + log_var.exp() - 1 - log_var)


def entropy(p: Tensor, x: Tensor) -> Tensor:
    """ln p(x|z) from probabilities, each pixel's, as it is often written."""
    return x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)


def pixelwise(raw: Tensor, x: Tensor) -> Tensor:
    return -F.binary_cross_entropy_with_logits(raw, x, reduction="none")


DRAWS = (
    Mistake("variance", "exp(log_var) is the variance σ², and the noise is multiplied by the standard deviation: σ = exp(½ log_var)",
            lambda m, v, e: m + v.exp() * e),
    Mistake("log-variance", "log_var is a logarithm, and it was taken for σ itself: σ = exp(½ log_var)",
            lambda m, v, e: m + v * e),
    Mistake("half-log-variance", "½ log_var is ln σ, and it was taken for σ itself: take its exponential",
            lambda m, v, e: m + 0.5 * v * e),
    Mistake("root-of-log", "log_var was taken for the variance, whose root is σ: it is its logarithm, σ = exp(½ log_var)",
            lambda m, v, e: m + v.sqrt() * e),
    Mistake("root-of-absolute-log", "log_var was taken for the variance, whose root is σ: it is its logarithm, σ = exp(½ log_var)",
            lambda m, v, e: m + v.abs().sqrt() * e),
    Mistake("precision", "the sign of the exponent is wrong: σ = exp(+½ log_var)", lambda m, v, e: m + (-0.5 * v).exp() * e),
    Mistake("squared", "exp(2 log_var) is σ⁴; σ = exp(½ log_var)", lambda m, v, e: m + (2 * v).exp() * e),
    Mistake("sign", "the noise is added, z = μ + σ · ε, and here it is taken away", lambda m, v, e: m - (0.5 * v).exp() * e),
    Mistake("no-noise", "it returns the mean: the noise is not used, and z = μ + σ · ε", lambda m, v, e: m + 0 * e),
    Mistake("no-mean", "the mean is missing: z = μ + σ · ε", lambda m, v, e: (0.5 * v).exp() * e),
    Mistake("no-scale", "σ is missing: z = μ + σ · ε", lambda m, v, e: m + e),
    Mistake("swapped", "the mean and the noise have changed places: z = μ + σ · ε", lambda m, v, e: e + (0.5 * v).exp() * m),
    Mistake("sum", "μ + σ and the noise were multiplied; only σ is multiplied by it: z = μ + σ · ε",
            lambda m, v, e: (m + (0.5 * v).exp()) * e),
    Mistake("detached", "its values are right, and no gradient reaches mean and log_var: there is a detach (or no_grad, .data, .item) too many",
            lambda m, v, e: (m + (0.5 * v).exp() * e).detach()),
    Mistake("detached-scale", "its values are right, and no gradient reaches log_var: there is a detach (or no_grad, .data) too many at σ",
            lambda m, v, e: m + (0.5 * v).exp().detach() * e),
    Mistake("detached-mean", "its values are right, and no gradient reaches mean: there is a detach (or no_grad, .data) too many at μ",
            lambda m, v, e: m.detach() + (0.5 * v).exp() * e),
)  # fmt: skip

KL = (
    Mistake("mean", "it takes the mean over the dimensions of z, and the KL divergence is their sum",
            lambda m, v: kl(m, v).mean(dim=1)),
    Mistake("per-dimension", "it returns one number for each dimension, (B, Z): sum over the dimensions of z, and (B,) remains",
            lambda m, v: kl(m, v)),
    Mistake("over-batch", "it sums over the batch (dim 0), and the sum is over the dimensions of z (dim 1)",
            lambda m, v: kl(m, v).sum(dim=0)),
    Mistake("mean-over-batch", "it takes the mean over the batch (dim 0), and the sum over the dimensions of z (dim 1) is asked for",
            lambda m, v: kl(m, v).mean(dim=0)),
    Mistake("no-half", "the factor ½ is missing", lambda m, v: kl(m, v, half=1).sum(dim=1)),
    Mistake("sign", "the sign is wrong: this is −KL, and a KL divergence is never below 0", lambda m, v: -kl(m, v).sum(dim=1)),
    Mistake("variance", "log_var was taken for the variance σ² in the square's place: σ² = exp(log_var)",
            lambda m, v: 0.5 * (m.square() + v - 1 - v.log()).sum(dim=1)),
    Mistake("variance-and-log", "log_var was taken for the variance where σ² stands: σ² = exp(log_var)",
            lambda m, v: 0.5 * (m.square() + v - 1 - v).sum(dim=1)),
    Mistake("deviation", "log_var was taken for ln σ, and it is ln σ²: σ² = exp(log_var), without a 2",
            lambda m, v: 0.5 * (m.square() + (2 * v).exp() - 1 - 2 * v).sum(dim=1)),
    Mistake("deviation-in-square", "σ² is exp(log_var), and here it is exp(2 log_var)",
            lambda m, v: 0.5 * (m.square() + (2 * v).exp() - 1 - v).sum(dim=1)),
    Mistake("root", "σ² is exp(log_var), and here stands σ = exp(½ log_var)",
            lambda m, v: 0.5 * (m.square() + (0.5 * v).exp() - 1 - v).sum(dim=1)),
    Mistake("no-square", "the mean enters squared, μ²", lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(dim=1)),
    Mistake("no-mean", "μ² is missing", lambda m, v: 0.5 * (v.exp() - 1 - v).sum(dim=1)),
    Mistake("no-one", "the −1 is missing: at μ = 0 and σ = 1 the divergence is 0", lambda m, v: (kl(m, v) + 0.5).sum(dim=1)),
    Mistake("sign-of-log", "the sign of ln σ² is wrong: it is taken away", lambda m, v: 0.5 * (m.square() + v.exp() - 1 + v).sum(dim=1)),
    Mistake("half-of-square", "the ½ is before all four terms, and here it is before the first alone",
            lambda m, v: (0.5 * m.square() + v.exp() - 1 - v).sum(dim=1)),
    Mistake("reverse", "this is KL(p ‖ q), the other way round: asked for is KL(q ‖ p), from the encoder's Gaussian to the prior",
            lambda m, v: 0.5 * ((1 + m.square()) / v.exp() - 1 + v).sum(dim=1)),
    Mistake("detached", "its values are right, and no gradient reaches mean and log_var: there is a detach (or no_grad, .data, .item) too many",
            lambda m, v: kl_divergence(m, v).detach()),
)  # fmt: skip

ELBO = (
    Mistake("sign", "the sign is wrong: this is −ELBO, the loss. The ELBO itself is maximised", lambda r, x, m, v: -elbo(r, x, m, v)),
    Mistake("kl-added", "the KL term is taken away from ln p(x|z), and here it is added",
            lambda r, x, m, v: elbo(r, x, m, v) + 2 * kl_divergence(m, v)),
    Mistake("no-kl", "the KL term is missing", lambda r, x, m, v: pixelwise(r, x).flatten(1).sum(dim=1)),
    Mistake("only-kl", "ln p(x|z) is missing", lambda r, x, m, v: -kl_divergence(m, v)),
    Mistake("mean-of-pixels", "it takes the mean over the pixels, and ln p(x|z) is their sum: so the KL term would weigh too much",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).mean(dim=1) - kl_divergence(m, v)),
    Mistake("mean-of-all", "it takes the mean over pixels and over dimensions of z, and both are sums",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).mean(dim=1) - kl(m, v).mean(dim=1)),
    Mistake("mean-of-kl", "it takes the mean over the dimensions of z, and the KL divergence is their sum",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).sum(dim=1) - kl(m, v).mean(dim=1)),
    Mistake("batch-mean-first", "ln p(x|z) was averaged over the batch before the KL term came: keep one number for each image",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).sum(dim=1).mean() - kl_divergence(m, v)),
    Mistake("batch-sum-first", "ln p(x|z) was summed over the batch before the KL term came: keep one number for each image",
            lambda r, x, m, v: pixelwise(r, x).sum() - kl_divergence(m, v)),
    Mistake("mean-of-everything-first", "ln p(x|z) was averaged over pixels and batch (the default of torch's loss): sum over the pixels, keep the batch",
            lambda r, x, m, v: pixelwise(r, x).mean() - kl_divergence(m, v)),
    Mistake("probabilities", "raw was taken for probabilities, and it is logits: p = sigmoid(raw)",
            lambda r, x, m, v: entropy(r, x).flatten(1).sum(dim=1) - kl_divergence(m, v)),
    Mistake("clamped-probabilities", "raw was taken for probabilities, and it is logits: p = sigmoid(raw)",
            lambda r, x, m, v: entropy(r.clamp(0, 1), x).flatten(1).sum(dim=1) - kl_divergence(m, v)),
    Mistake("sigmoid-twice", "the sigmoid is taken twice: a loss “with logits” takes raw as it is",
            lambda r, x, m, v: pixelwise(torch.sigmoid(r), x).flatten(1).sum(dim=1) - kl_divergence(m, v)),
    Mistake("squares", "this is a squared error, the logarithm of a Gaussian; asked for is that of p = sigmoid(raw), pixel by pixel",
            lambda r, x, m, v: -(torch.sigmoid(r) - x).square().flatten(1).sum(dim=1) - kl_divergence(m, v)),
    Mistake("one-side", "(1 − x) ln(1 − p) is missing: it is what says that dark pixels are dark",
            lambda r, x, m, v: (x * F.logsigmoid(r)).flatten(1).sum(dim=1) - kl_divergence(m, v)),
    Mistake("no-half", "the factor ½ of the KL term is missing",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).sum(dim=1) - kl(m, v, half=1).sum(dim=1)),
    Mistake("variance", "in the KL term log_var was taken for the variance: σ² = exp(log_var)",
            lambda r, x, m, v: pixelwise(r, x).flatten(1).sum(dim=1) - 0.5 * (m.square() - 1).sum(dim=1)),
    Mistake("detached", "its values are right, and no gradient goes back: there is a detach (or no_grad, .data, .item) too many",
            lambda r, x, m, v: elbo(r, x, m, v).detach()),
    Mistake("detached-kl", "its values are right, and the KL term gives no gradient: there is a detach (or no_grad, .data) too many",
            lambda r, x, m, v: -bernoulli_nll(r, x) - kl_divergence(m, v).detach()),
)  # fmt: skip

DISCRIMINATOR = (
    Mistake("no-detach", "a detach is missing: the gradient goes on through the generated images into the generator, which this update must not move. Judge fake.detach()",
            lambda d, x, g: logistic_discriminator_loss(d(x), d(g))),
    Mistake("detached", "its values are right, and no gradient reaches the discriminator: detach the generated images, not the logits or the loss",
            lambda d, x, g: discriminator_loss(d, x, g).detach()),
    Mistake("half-detached", "its values are right, and the generated images teach the discriminator nothing: detach the images, not their logits",
            lambda d, x, g: logistic_discriminator_loss(d(x), d(g).detach())),
    Mistake("swapped", "real and generated have changed places: the logit is high where an image is real",
            lambda d, x, g: logistic_discriminator_loss(d(g.detach()), d(x))),
    Mistake("sign", "the sign is wrong: this is what a discriminator maximises, and asked for is what it minimises",
            lambda d, x, g: -discriminator_loss(d, x, g)),
    Mistake("half", "it takes the mean of the two terms, and asked for is their sum", lambda d, x, g: 0.5 * discriminator_loss(d, x, g)),
    Mistake("only-real", "the term of the generated images is missing", lambda d, x, g: F.softplus(-d(x))),
    Mistake("only-fake", "the term of the real images is missing", lambda d, x, g: F.softplus(d(g.detach()))),
    Mistake("probabilities", "the logits were taken for probabilities: D = sigmoid(logit)",
            lambda d, x, g: -torch.log(d(x)) - torch.log(1 - d(g.detach()))),
    Mistake("sigmoid-twice", "the sigmoid is taken twice: softplus, and a loss “with logits”, take the logit as it is",
            lambda d, x, g: logistic_discriminator_loss(torch.sigmoid(d(x)), torch.sigmoid(d(g.detach())))),
    Mistake("hinge", "this is the hinge loss, whose score is no probability; asked for is the logistic one",
            lambda d, x, g: hinge_discriminator_loss(d(x), d(g.detach()))),
    Mistake("wasserstein", "this is the Wasserstein critic's loss; asked for is the logistic one", lambda d, x, g: d(g.detach()) - d(x)),
)  # fmt: skip

GENERATOR = (
    Mistake("minimax", "this is the minimax loss ln(1 − D(G(z))), which says little where the discriminator is sure; asked for is the non-saturating one, −ln D(G(z))",
            lambda d, g: minimax_generator_loss(d(g), d(g))),
    Mistake("sign", "the sign is wrong: this is ln D(G(z)), and a loss is minimised", lambda d, g: -generator_loss(d, g)),
    Mistake("wrong-label", "this is −ln(1 − D(G(z))), which teaches the generator to be found out: its images are to be taken for real",
            lambda d, g: F.softplus(d(g))),
    Mistake("detached", "its values are right, and no gradient reaches the generator: there is a detach (or no_grad, .data) too many; only the discriminator's update has one",
            lambda d, g: generator_loss(d, g.detach())),
    Mistake("probabilities", "the logits were taken for probabilities: D = sigmoid(logit)", lambda d, g: -torch.log(d(g))),
    Mistake("sigmoid-twice", "the sigmoid is taken twice: softplus, and a loss “with logits”, take the logit as it is",
            lambda d, g: F.softplus(-torch.sigmoid(d(g)))),
    Mistake("critic", "this is the loss against a hinge or Wasserstein critic, −D(G(z)); asked for is −ln sigmoid of the logit",
            lambda d, g: critic_generator_loss(d(g), d(g))),
)  # fmt: skip
