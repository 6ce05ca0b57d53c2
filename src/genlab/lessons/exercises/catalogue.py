"""The exercises: what is to be written, its equation, its shapes. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass

from genlab.errors import UserError


@dataclass(frozen=True)
class Exercise:
    """`function` is the name that the reader's function keeps, `signature` what stands between its brackets
    and after them; `shapes` is its docstring. The equation is there as plain text and in LaTeX."""

    name: str
    title: str
    function: str
    signature: str
    shapes: str
    plain: str
    latex: str
    words: str
    source: str


FUNCTIONS = (
    Exercise(
        name="reparameterize",
        title="The reparameterization trick",
        function="reparameterize",
        signature="(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor",
        shapes="mean, log_var = ln σ² and noise, each (B, Z) -> z (B, Z).",
        plain="z = μ + σ · ε,   ε ~ N(0, I)",
        latex=r"z = \mu + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I)",
        words=(
            "The encoder gives the mean and the logarithm of the variance. The noise is drawn for "
            "you, so that the same noise gives the same z, and the gradient reaches mean and log_var."
        ),
        source="Kingma & Welling (2014), section 2.4",
    ),
    Exercise(
        name="kl-divergence",
        title="The KL divergence of the encoder's Gaussian from the prior",
        function="kl_divergence",
        signature="(mean: Tensor, log_var: Tensor) -> Tensor",
        shapes="mean and log_var = ln σ², each (B, Z) -> (B,): one number for each image, in nats.",
        plain="KL(N(μ, σ²) ‖ N(0, I)) = Σ_j ½ (μ_j² + σ_j² − 1 − ln σ_j²)",
        latex=r"\mathrm{KL}(\mathcal{N}(\mu, \sigma^2) \,\|\, \mathcal{N}(0, I)) "
        r"= \sum_j \tfrac12 \left(\mu_j^2 + \sigma_j^2 - 1 - \ln \sigma_j^2\right)",
        words=(
            "The sum is over the dimensions of z. The batch stays: whoever calls this takes the mean, once."
        ),
        source="Kingma & Welling (2014), appendix B",
    ),
    Exercise(
        name="elbo",
        title="The evidence lower bound",
        function="elbo",
        signature="(raw: Tensor, images: Tensor, mean: Tensor, log_var: Tensor) -> Tensor",
        shapes=(
            "raw, the decoder's logits, and images, pixels in [0, 1], each (B, C, H, W); mean and "
            "log_var = ln σ², each (B, Z) -> (B,): one number for each image, in nats. It is "
            "maximised."
        ),
        plain="ELBO = Σ_pixels [x ln p + (1 − x) ln(1 − p)] − KL(q(z|x) ‖ N(0, I)),   p = sigmoid(raw)",
        latex=r"\mathrm{ELBO} = \sum_{\text{pixels}} \left[x \ln p + (1 - x) \ln(1 - p)\right] "
        r"- \mathrm{KL}(q(z \mid x) \,\|\, \mathcal{N}(0, I)), \qquad p = \sigma(\mathrm{raw})",
        words=(
            "The first sum is ln p(x|z), over all pixels of an image. The KL term is that of the "
            "exercise before; write it here again."
        ),
        source="Kingma & Welling (2014), section 3",
    ),
    Exercise(
        name="discriminator-loss",
        title="What a discriminator minimises",
        function="discriminator_loss",
        signature="(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor",
        shapes=(
            "discriminator takes images (B, …) to logits (B,); real and fake are images (B, …) -> "
            "(B,): one loss for each pair, in nats."
        ),
        plain="L_D = −ln D(x) − ln(1 − D(G(z))),   D = sigmoid(logit)",
        latex=r"L_D = -\ln D(x) - \ln(1 - D(G(z))), \qquad D = \sigma(\text{logit})",
        words=(
            "The generated images still hang on the generator that made them. This update is the "
            "discriminator's alone. Logits may be large: −ln sigmoid(t) is softplus(−t)."
        ),
        source="Goodfellow et al. (2014), equation 1",
    ),
    Exercise(
        name="generator-loss",
        title="What a generator minimises: the non-saturating loss",
        function="generator_loss",
        signature="(discriminator: Callable[[Tensor], Tensor], fake: Tensor) -> Tensor",
        shapes=(
            "discriminator takes images (B, …) to logits (B,); fake are images (B, …) -> (B,): one "
            "loss for each, in nats."
        ),
        plain="L_G = −ln D(G(z)),   D = sigmoid(logit)",
        latex=r"L_G = -\ln D(G(z)), \qquad D = \sigma(\text{logit})",
        words=(
            "The gradient has to reach the generator, through the images. Logits may be large: −ln "
            "sigmoid(t) is softplus(−t)."
        ),
        source="Goodfellow et al. (2014), section 3",
    ),
    Exercise(
        name="decoder-as-generator",
        title="A VAE's decoder becomes a GAN's generator",
        function="decoder_as_generator",
        signature="(decoder: nn.Module, generator: nn.Module) -> nn.Module",
        shapes=(
            "decoder, of a trained VAE, and generator, of a new GAN, are networks of one make, each z"
            " (B, Z) -> raw images -> the generator that the GAN begins with."
        ),
        plain="G(z) = Dec(z) for every z, to the last digit; and training G leaves Dec as it is",
        latex=r"G(z) = \mathrm{Dec}(z) \quad \text{for every } z",
        words=(
            "Every tensor counts, those too that no optimizer moves (batch normalisation's running "
            "statistics). Afterwards the two are two: training the generator must not move the "
            "decoder."
        ),
        source="the hand-over in this lab; Ham et al. (2020), Unbalanced GANs",
    ),
)

EXERCISES = {each.name: each for each in FUNCTIONS}


def exercise_called(name: str) -> Exercise:
    """Raises UserError with the nearest name."""
    name = name.replace("_", "-")
    if name not in EXERCISES:
        import difflib

        close = difflib.get_close_matches(name, EXERCISES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(EXERCISES)}"
        raise UserError(f"no exercise is called {name!r}; {hint}")
    return EXERCISES[name]
