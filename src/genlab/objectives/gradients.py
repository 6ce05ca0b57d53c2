"""How the gradient of E_q[−ln p(x|z)] reaches the encoder, which made the q that z is drawn from.

Four answers with one and the same objective: `Terms` have equal values whichever is asked, and differ in what
autograd finds behind them. The KL is a closed form, and its gradient needs no draw.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from genlab.functional.gaussian import Posterior
from genlab.networks.model import VAE, Terms
from genlab.ranks import parts
from genlab.reduction import mean


def reparameterized(model: VAE, images: Tensor, noise: Tensor) -> Terms:
    """z = μ + σε: the gradient passes through z. Kingma & Welling (2014), section 2.4."""
    return model(images, noise)  # type: ignore[no-any-return]


def detached(model: VAE, images: Tensor, noise: Tensor) -> Terms:
    """z is drawn and its past forgotten: of the reconstruction the encoder hears nothing."""
    q = model.encode(images)
    z = q.sample(noise).detach()
    return Terms(q, model.observation.nll(model.raw(z), images), model.prior.kl(q, z))


def score(model: VAE, images: Tensor, noise: Tensor) -> Terms:
    """∇ E_q[f] = E_q[f ∇ ln q(z)]: z is held fixed and its probability moved. Williams (1992)."""
    q, nll, kl = detached(model, images, noise)
    return Terms(q, scored(nll, nll.detach(), q, noise), kl)


def score_with_baseline(model: VAE, images: Tensor, noise: Tensor) -> Terms:
    """The same with f less the mean f of the batch's other images, which does not depend on this one's draw:
    the mean of the gradient stays what it was. Williams (1992); Mnih & Gregor (2014), section 2.3."""
    q, nll, kl = detached(model, images, noise)
    return Terms(q, scored(nll, nll.detach() - of_the_others(nll.detach()), q, noise), kl)


def scored(nll: Tensor, weight: Tensor, q: Posterior, noise: Tensor) -> Tensor:
    """`nll` (B,) in value; its gradient has `weight` ∇ ln q(z) beside its own: (B,)."""
    log_q = q.log_density(q.sample(noise).detach())
    return nll + weight * (log_q - log_q.detach())


def of_the_others(values: Tensor) -> Tensor:
    """For each of `values` (B,) the mean of the rest of the joint batch; itself where it is alone."""
    count = len(values) * parts()
    return (count * mean(values.mean()) - values) / (count - 1) if count > 1 else values


GRADIENTS: dict[str, Callable[[VAE, Tensor, Tensor], Terms]] = {
    "reparameterized": reparameterized,
    "score": score,
    "score-baseline": score_with_baseline,
    "detached": detached,
}
