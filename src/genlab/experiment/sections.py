"""The sections of a config: every field with its bounds and its sentence. Nothing here imports torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the config: immutable, and unknown keys fail."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Data(Section):
    name: str = Field(
        "mnist", description="A data set of `genlab data`, a folder of images or shards, or an .npz file."
    )
    size: int | None = Field(
        None, ge=8, le=1024, description="Side of the square images in pixels; as they are if unset."
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; as they are if unset."
    )
    fit: Literal["crop", "pad"] = Field("crop", description="How an image that is not square becomes so.")
    binarise: Literal["none", "dynamic"] = Field(
        "none",
        description="Draw each pixel black or white with its grey level's probability, anew each step.",
    )
    window: int = Field(
        0,
        ge=0,
        description="Shuffle shards within windows of so many images, for slow storage; 0 shuffles all.",
    )
    limit: int | None = Field(None, ge=2, description="At most so many training images, drawn by the seed.")
    validation: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Fraction of the training images held out by the seed, to choose with.",
    )
    shape: tuple[int, int, int] | None = Field(
        None, description="Channels, height, width: filled in from the data."
    )
    digest: str | None = Field(None, description="Identity of the images: filled in from the data.")


Activation = Literal["relu", "leaky-relu", "tanh"]
Init = Literal["torch", "glorot"]


class Decoder(Section):
    kind: Literal["conv", "mlp"] = Field(
        "conv", description="Convolutions that double the image, or dense layers alone."
    )
    width: int = Field(
        24, ge=1, le=1024, description="Channels at half the full resolution; twice as many at each halving."
    )
    blocks: int = Field(0, ge=0, le=8, description="Residual blocks at each resolution.")
    hidden: int = Field(512, ge=1, le=8192, description="Units of each dense layer.")
    depth: int = Field(0, ge=0, le=8, description="Dense layers before the image.")
    norm: Literal["batch", "group", "none"] = Field("batch", description="Normalisation between layers.")
    activation: Activation = Field("relu", description="The function between layers.")
    init: Init = Field("torch", description="How weights are drawn: torch's own way, or Glorot's.")
    mean_bias: bool = Field(
        False, description="Begin with the training images' mean as the image of every z (kind=mlp)."
    )


class Trunk(Section):
    kind: Literal["conv", "mlp"] = Field(
        "conv", description="Convolutions that halve the image, or dense layers alone."
    )
    width: int = Field(
        24, ge=1, le=1024, description="Channels at half the full resolution; twice as many at each halving."
    )
    blocks: int = Field(0, ge=0, le=8, description="Residual blocks at each resolution.")
    hidden: int = Field(512, ge=1, le=8192, description="Units of each dense layer.")
    depth: int = Field(0, ge=0, le=8, description="Dense layers after the image.")
    norm: Literal["batch", "group", "none"] = Field("batch", description="Normalisation between layers.")
    activation: Activation = Field("leaky-relu", description="The function between layers.")


class Encoder(Trunk):
    pixels: Literal["signed", "unit"] = Field(
        "signed", description="What it sees a pixel as: a number in [-1, 1], or in [0, 1]."
    )
    init: Init = Field("torch", description="How weights are drawn: torch's own way, or Glorot's.")


class Critic(Trunk):
    spectral: bool = Field(False, description="Spectral normalisation of every weight.")
    maxout: int = Field(
        1, ge=1, le=16, description="Linear pieces of each dense unit, the largest of which counts (maxout)."
    )
    pack: int = Field(
        1, ge=1, le=64, description="Images of one kind that are judged together, as one image's channels."
    )
    weights: Literal["drawn", "encoder"] = Field(
        "drawn",
        description="Where its trunk begins: drawn by the seed, or as that of the encoder which learned with "
        "the decoder that is taken over.",
    )


class Prior(Section):
    kind: Literal["normal", "mixture", "flow"] = Field(
        "normal", description="N(0, I), a mixture fitted to a VAE's codes, or a RealNVP trained with the VAE."
    )
    components: int = Field(64, ge=1, le=1024, description="Gaussians in the mixture.")
    layers: int = Field(8, ge=1, le=64, description="Coupling layers of the flow.")
    hidden: int = Field(128, ge=1, le=8192, description="Units of a coupling layer's dense layers.")


class Network(Section):
    latent_dim: int = Field(32, ge=1, le=2048, description="Dimensions of z.")
    second_latent: int = Field(
        0, ge=0, le=2048, description="Dimensions of a second stochastic layer behind z; 0 for none."
    )
    second_hidden: int = Field(
        100, ge=1, le=8192, description="Units of each dense layer between the two stochastic layers."
    )
    second_depth: int = Field(2, ge=0, le=8, description="Dense layers between the two stochastic layers.")
    decoder: Decoder = Decoder()
    encoder: Encoder = Encoder(kind="mlp", depth=1, norm="none")
    discriminator: Critic = Critic()
    prior: Prior = Prior()


class Observation(Section):
    kind: Literal["bernoulli", "continuous-bernoulli", "gaussian", "discretised-logistic"] = Field(
        "bernoulli", description="What the decoder's raw output means: the likelihood of a pixel."
    )
    sigma: float = Field(
        0.3, gt=0, le=10, description="Standard deviation of a Gaussian or logistic pixel in [-1, 1]."
    )
    learn_sigma: bool = Field(
        False, description="Learn a Gaussian's with the decoder; a logistic's is learned."
    )
    linear: bool = Field(False, description="Gaussian mean without a squashing function (the linear VAE).")


class Warmed(Section):
    beta: float = Field(
        1.0, ge=0, le=1000, description="Weight of the KL term; reported ELBOs are always at 1."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps over which the weight rises from 0.")
    warmup: Literal["linear", "cyclic"] = Field("linear", description="Rise once, or again and again.")


class Elbo(Warmed):
    name: Literal["elbo"] = "elbo"
    free_bits: float = Field(
        0.0, ge=0, le=100, description="Nats of KL per latent dimension left unpunished."
    )
    gradient: Literal["reparameterized", "score", "score-baseline", "detached"] = Field(
        "reparameterized",
        description="How the reconstruction's gradient reaches the encoder: through the draw of z, by its "
        "score, by its score less a baseline, or not at all.",
    )
    drawn: bool = Field(
        True, description="Draw z; else it is the mean of q, and with beta=0 this is a plain autoencoder."
    )


class Importance(Warmed):
    name: Literal["importance"] = "importance"
    samples: int = Field(5, ge=1, le=10_000, description="Draws of z for each image and step: the K of L_K.")
    bound: Literal["elbo", "iwae"] = Field(
        "iwae",
        description="The mean of the logarithms of the draws' weights, or the logarithm of their mean.",
    )
    gradient: Literal["reparameterized", "dreg"] = Field(
        "reparameterized", description="The encoder's gradient: the bound's own, or DReG, which varies less."
    )


LossName = Literal["non-saturating", "hinge", "least-squares", "wasserstein", "relativistic"]


class Penalised(Section):
    r1: float = Field(0.0, ge=0, le=1e6, description="γ of the gradient penalty ½γ‖∇D‖² on real images.")
    r2: float = Field(0.0, ge=0, le=1e6, description="γ of the gradient penalty ½γ‖∇D‖² on generated images.")
    wasserstein_penalty: float = Field(
        0.0, ge=0, le=1e6, description="Weight of (‖∇D‖ − 1)² between real and generated."
    )

    @property
    def penalised(self) -> bool:
        return bool(self.r1 or self.r2 or self.wasserstein_penalty)


class Adversarial(Penalised):
    name: Literal["adversarial"] = "adversarial"
    loss: LossName = Field("non-saturating", description="What the two players minimise.")
    discriminator_steps: int = Field(
        1, ge=1, le=20, description="Updates of the discriminator for each of the generator."
    )
    discriminator_warmup: int = Field(
        0, ge=0, description="Steps at the start in which the discriminator alone learns."
    )
    augment: Literal["none", "translation", "translation-cutout", "colour-translation-cutout"] = Field(
        "none",
        description="Change at random all that the discriminator is shown, so that it does not learn few "
        "images by heart.",
    )


class Hybrid(Penalised):
    name: Literal["hybrid"] = "hybrid"
    loss: LossName = Field("non-saturating", description="What the two players minimise.")
    feature_weight: float = Field(
        1.0, ge=0, le=1e4, description="Weight of the reconstruction in the discriminator's features."
    )
    pixel_weight: float = Field(1.0, ge=0, le=1e4, description="Weight of the reconstruction in pixels.")
    deceit: float = Field(1.0, ge=0, le=1e4, description="Weight of the decoder's adversarial loss.")
    beta: float = Field(1.0, ge=0, le=1000, description="Weight of the KL term.")


Objective = Annotated[Elbo | Importance | Adversarial | Hybrid, Field(discriminator="name")]


class Optimizer(Section):
    learning_rate: float = Field(2e-3, gt=0, le=100, description="Adam's step size.")
    discriminator_rate: float | None = Field(
        None, gt=0, le=100, description="The discriminator's own, if it differs."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Adam's memory of the gradient.")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's memory of its square.")
    eps: float = Field(1e-8, gt=0, le=1, description="Adam's smallest denominator.")
    final: float = Field(1.0, ge=0, le=1, description="Fraction of the learning rate left at the last step.")
    schedule: Literal["cosine", "cooldown", "burda"] = Field(
        "cosine",
        description="How the rate falls: by a cosine, only over the last 30 % of the steps, or in the eight "
        "stairs of the IWAE paper.",
    )


class Training(Section):
    steps: int = Field(2000, ge=1, le=100_000_000, description="Updates of every part.")
    seconds: float | None = Field(
        None, gt=0, le=1e7, description="A budget that a short calibration turns into steps, once."
    )
    batch_size: int = Field(128, ge=1, le=65536, description="Images per update.")
    seed: int = Field(0, ge=0, lt=2**63, description="All randomness is a function of it.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the averaged weights; 0 for none.")
    threads: int = Field(
        2, ge=1, le=1024, description="CPU threads; a resumed run must keep them to stay exact."
    )
    device: str = Field("cpu", pattern=r"^(cpu|mps|cuda(:\d+)?)$", description="cpu, cuda, cuda:N or mps.")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="Numbers inside networks: float32, or bfloat16, which a GPU computes faster."
    )
    compile: bool = Field(
        False,
        description="Let torch.compile write the networks' code: on a CPU dense networks alone gain by it.",
    )
    log_every: int = Field(20, ge=1, description="Steps between logged metrics.")
    sample_every: int = Field(200, ge=0, description="Steps between sample sheets; 0 for none.")
    checkpoint_every: int = Field(
        500, ge=1, description="Steps between checkpoints; the last step always has one."
    )
    validate_every: int = Field(
        0, ge=0, description="Steps between validations, which keep the best checkpoint; 0 for none."
    )
    keep_best: Literal["auto", "fid", "nelbo", "none"] = Field(
        "auto", description="Which value decides that: nelbo for a VAE and fid for the others, or this one."
    )
