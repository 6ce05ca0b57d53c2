"""What the search tries: questions, each with its trials, and the seconds that a trial has.

Only what is tried stands here; how it is trained and scored stands in `search.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

UNTOLD = 1 / 3  # the VAE's share of a trial that tells none; most have no VAE before them

RATE, FINAL, BATCH, EMA = (
    "optimizer.learning_rate=", "optimizer.final=", "training.batch_size=", "training.ema=",
)  # fmt: skip
DECODER, ENCODER, CRITIC = "network.decoder.", "network.encoder.", "network.discriminator."
LOSS, LATENT = "objective.loss=", "network.latent_dim="
PLAIN = (f"{DECODER}depth=0", f"{DECODER}width=24")  # z straight to the small image
CONVOLUTIONS = (f"{ENCODER}kind=conv", f"{ENCODER}depth=0", f"{ENCODER}width=16", f"{ENCODER}norm=batch")
NORMALISED, BOTH = (f"{ENCODER}depth=2", f"{ENCODER}norm=batch"), (*CONVOLUTIONS, f"{ENCODER}depth=1")
HINGE = (f"{LOSS}hinge", f"{CRITIC}spectral=true", f"{CRITIC}norm=none")
R1R2 = (f"{LOSS}relativistic", "objective.r1=1", "objective.r2=1", f"{CRITIC}norm=none", "optimizer.beta1=0")
WGAN = (f"{LOSS}wasserstein", "objective.wasserstein_penalty=10", f"{CRITIC}norm=none", "optimizer.beta1=0")


@dataclass(frozen=True)
class Trial:
    """One arm: its name, what it sets in the recipe, the share of a VAE before a GAN, and the one of
    `VARIANTS` whose networks it trains."""

    name: str
    settings: tuple[str, ...] = ()
    share: float = UNTOLD
    variant: str = ""


@dataclass(frozen=True)
class Study:
    """Trials of one question: `arm` is one of `under_the_clock`'s, `seconds` what each of them has. `data`:
    images of its own, whatever --data names; `limit`: only so many of them to train on, where it is not 0;
    `seeds`: over so many at least; `base`: what is set in the recipe for every trial, which takes it back to
    what it was when it was searched around."""

    question: str
    arm: str
    seconds: float
    trials: tuple[Trial, ...]
    data: str = ""
    limit: int = 0
    seeds: int = 1
    base: tuple[str, ...] = ()

    def settings(self, trial: Trial) -> tuple[str, ...]:
        """All that is set in the recipe for `trial`."""
        return (*self.base, *trial.settings)


def each(prefix: str, *values: object) -> tuple[Trial, ...]:
    """A trial for each value of one setting, called as the config calls it."""
    name = prefix.removeprefix("network.").removeprefix("optimizer.").removeprefix("training.")
    return tuple(Trial(f"{name}{value}", (f"{prefix}{value}",)) for value in values)


def paced(rate: str) -> tuple[str, str]:
    """The generator's rate, and half of it for the discriminator."""
    return f"{RATE}{rate}", f"{JUDGE}{float(rate) / 2:g}"


def tuned(name: str, settings: tuple[str, ...], *rates: str) -> tuple[Trial, ...]:
    """The same settings at each learning rate, so that no loss is judged by another's rate."""
    return tuple(Trial(f"{name}, rate {rate}", (*settings, *paced(rate))) for rate in rates)


SETTLED = "ema=0.999, final=0"
JUDGE = "optimizer.discriminator_rate="
DENSE = (f"{CRITIC}depth=1",)
BARE = (f"{CRITIC}depth=0", f"{CRITIC}width=24", f"{CRITIC}hidden=512")  # as the recipe's was at first
NARROW = (*DENSE, f"{CRITIC}width=16", f"{CRITIC}hidden=256")
JUDGES = (
    Trial("depth=0", BARE),
    Trial("depth=1", DENSE),
    Trial("depth=1, hidden=256", (*DENSE, f"{CRITIC}hidden=256")),
    Trial("depth=1, width=16, hidden=256", NARROW),
)
EDGES = (
    Trial("as it is"),
    Trial("4×4 convolutions of stride 2, transposed ones", variant="transposed"),
    Trial("14 → 28 px", variant="one"),
    Trial("4 → 8 → 16 → 32 px, cropped", variant="three"),
)
AUGMENT = "objective.augment="
AUGMENTED = each(AUGMENT, "none", "translation", "translation-cutout", "colour-translation-cutout")


def settled(name: str, *settings: str, share: float = UNTOLD) -> tuple[Trial, ...]:
    """The same settings under a long average and a rate that falls to 0, as a run of minutes wants them."""
    return (Trial(f"{name}; {SETTLED}", (f"{EMA}0.999", f"{FINAL}0", *settings), share),)


STUDIES: dict[str, Study] = {
    "vae-rate": Study(
        "how fast may a VAE learn, and must it slow down?", "vae", 20,
        (*each(RATE, "1e-3", "2e-3", "5e-3", "7e-3"), *each(FINAL, "1", "0.1")),
    ),
    "vae-width": Study(
        "how wide, and what else could draw the image?", "vae", 20,
        (*each(f"{DECODER}width=", 8, 16, 24), *each(f"{DECODER}hidden=", 128, 512),
         Trial("no dense layer, width 24", PLAIN),
         Trial("dense layers alone", (f"{DECODER}kind=mlp", f"{DECODER}hidden=512", f"{DECODER}norm=none"))),
    ),
    "vae-average": Study(
        "how many images a step, and how long an average, in a short run?", "vae", 20,
        (*each(BATCH, 64, 128, 256), *each(EMA, "0.99", "0.998")),
    ),
    "vae-depth": Study(
        "with a minute: how deep between z and the image, and between the image and z?", "vae", 60,
        (*each(f"{DECODER}depth=", 1, 2, 3), *each(f"{DECODER}hidden=", 512), *each(f"{ENCODER}depth=", 2),
         *each(f"{ENCODER}hidden=", 256, 1024), Trial("convolutional encoder", CONVOLUTIONS)),
    ),
    "vae-batch": Study(
        "with a minute: how many images a step, how many dimensions of z, how much KL?", "vae", 60,
        (*each(BATCH, 64, 128, 256, 512), *each(LATENT, 12, 16, 64), *each("objective.beta=", 1.5)),
    ),
    "vae-encoder": Study(
        "with a minute: what of the encoder helps which samples?", "vae", 60,
        (*(Trial(f"decoder.depth={depth}, {name}", (f"{DECODER}depth={depth}", *settings))
           for depth in (1, 2) for name, settings in (
               ("as it is", ()), ("encoder.depth=2, norm=batch", NORMALISED), ("convolutional", CONVOLUTIONS),
               ("convolutional and dense", BOTH))),
         *(Trial(f"decoder.depth=2, encoder.depth=2, {name}",
                 (f"{DECODER}depth=2", f"{ENCODER}depth=2", *settings)) for name, settings in (
             ("norm=none", ()), ("norm=none, rate 2e-3", (f"{RATE}2e-3",)),
             ("norm=none, KL warm-up of 500 steps", ("objective.warmup_steps=500",))))),
    ),
    "vae-long": Study(
        "with five minutes: what brings samples from N(0, I) nearer?", "vae", 300,
        (*each(f"{DECODER}depth=", 1, 2, 3),
         *(Trial(f"decoder.depth={depth}, encoder.depth=2, encoder.norm=batch",
                 (f"{DECODER}depth={depth}", *NORMALISED)) for depth in (1, 2, 3)),
         Trial("decoder.depth=2, convolutional and dense encoder", (f"{DECODER}depth=2", *BOTH)),
         Trial("decoder.depth=2, latent_dim=16", (f"{DECODER}depth=2", f"{LATENT}16")),
         Trial("decoder.depth=2, beta=1.5", (f"{DECODER}depth=2", "objective.beta=1.5")),
         Trial("decoder.depth=2, latent_dim=16, beta=1.5",
               (f"{DECODER}depth=2", f"{LATENT}16", "objective.beta=1.5"))),
    ),
    "vae-longer": Study(
        "with ten minutes: what brings samples from N(0, I) nearer?", "vae", 600,
        (*each(f"{DECODER}depth=", 2, 3),
         Trial("decoder.depth=3, encoder.depth=2", (f"{DECODER}depth=3", f"{ENCODER}depth=2")),
         Trial("decoder.depth=3, convolutional encoder", (f"{DECODER}depth=3", *CONVOLUTIONS)),
         Trial("decoder.depth=3, latent_dim=12", (f"{DECODER}depth=3", f"{LATENT}12"))),
    ),
    "vae-edges": Study("what doubles an image, and from where on?", "vae", 20, EDGES),
    "second-stage": Study(
        "how many Gaussians for the codes, or a flow?", "second-stages", 60, (Trial("as it is"),)
    ),
    "gan-rate": Study(
        "how fast may a GAN learn, and must it slow down?", "gan", 60,
        (*tuned("discriminator at half", (), "1e-3", "2e-3", "3e-3", "4e-3"), *each(FINAL, "0.1")),
    ),
    "gan-cooldown": Study(
        "may the rate fall at the very end, and how long an average then?", "gan", 60,
        tuple(Trial(f"cooldown, ema={ema}", ("optimizer.schedule=cooldown", f"{FINAL}0", f"{EMA}{ema}"))
              for ema in ("0.98", "0.99", "0.995")),
    ),
    "gan-judge": Study(
        "with a minute: how slowly may the discriminator learn, and should rates fall?", "gan", 60,
        (*each(JUDGE, "2e-3", "1e-3", "5e-4"),
         *(Trial(f"discriminator_rate=5e-4, final=0, ema={ema}", (f"{JUDGE}5e-4", f"{FINAL}0", f"{EMA}{ema}"))
           for ema in ("0.99", "0.998")),
         Trial("discriminator_rate=5e-4, final=0, ema=0.998, pairs of images judged",
               (f"{JUDGE}5e-4", f"{FINAL}0", f"{EMA}0.998", f"{CRITIC}pack=2"))),
        base=BARE,
    ),
    "gan-memory": Study(
        "how much of the last gradients may Adam remember?", "gan", 60,
        (*each("optimizer.beta1=", "0", "0.25", "0.5"),
         Trial("beta1=0, beta2=0.999", ("optimizer.beta1=0", "optimizer.beta2=0.999"))),
    ),
    "gan-decoder": Study(
        "which generator?", "gan", 60,
        (*each(f"{DECODER}width=", 12, 16, 24, 32), *each(LATENT, 16, 64),
         Trial("no dense layer, width 24", PLAIN)),
    ),
    "gan-depth": Study(
        "how deep between z and the generator's first image?", "gan", 60,
        each(f"{DECODER}depth=", 1, 2, 3),
        base=BARE,
    ),
    "gan-critic": Study(
        "which discriminator?", "gan", 60,
        (*each(f"{CRITIC}width=", 16, 24, 32),
         Trial("no batch normalisation", (f"{CRITIC}norm=none",)), *each(f"{CRITIC}pack=", 2),
         *each("objective.discriminator_steps=", 2)),
    ),
    "gan-edges": Study("what doubles and halves an image, and from where on?", "gan", 60, EDGES, base=BARE),
    "gan-deeper": Study(
        "in which of the two networks does the third stage help, and what else makes a discriminator deeper?",
        "gan", 60,
        (Trial("as it is"),
         Trial("generator: 4 → 8 → 16 → 32 px, cropped", variant="three doublings"),
         Trial("discriminator: 32 → 16 → 8 → 4 px", variant="three halvings"),
         Trial("discriminator: 32 → 16 → 8 → 4 px, width 16", (f"{CRITIC}width=16",),
               variant="three halvings"),
         *each(f"{CRITIC}depth=", 1), *each(f"{CRITIC}blocks=", 1)),
        base=BARE,
    ),
    "gan-dense": Study(
        "a discriminator with a dense layer after its convolutions: what goes with it?", "gan", 60,
        (Trial("depth=1", DENSE),
         *(Trial(f"depth=1, {name}", (*DENSE, *settings)) for name, settings in (
             ("hidden=256", (f"{CRITIC}hidden=256",)), ("hidden=1024", (f"{CRITIC}hidden=1024",)),
             ("width=16", (f"{CRITIC}width=16",)), ("width=16, hidden=256",
              (f"{CRITIC}width=16", f"{CRITIC}hidden=256")),
             ("discriminator_rate=5e-4", (f"{JUDGE}5e-4",)), ("discriminator_rate=2e-3", (f"{JUDGE}2e-3",)),
             ("batch_size=128", (f"{BATCH}128",)), ("latent_dim=64", (f"{LATENT}64",)),
             ("decoder.width=24", (f"{DECODER}width=24",)), ("pack=2", (f"{CRITIC}pack=2",)))),
         Trial("depth=1, 32 → 16 → 8 → 4 px, width=16", (*DENSE, f"{CRITIC}width=16"),
               variant="three halvings"),
         Trial("depth=2", (f"{CRITIC}depth=2",)),
         Trial("dense layers alone, depth=2", (f"{CRITIC}kind=mlp", f"{CRITIC}depth=2"))),
        base=BARE,
    ),
    "gan-dense-seeds": Study(
        "the nearest of these over three seeds?", "gan", 60, JUDGES, seeds=3,
        base=BARE,
    ),
    "gan-dense-short": Study("and with 20 seconds?", "gan", 20, JUDGES, base=BARE),
    "gan-dense-long": Study(
        "and with five minutes, under a long average and a rate that falls?", "gan", 300,
        (*settled("depth=0, discriminator_rate=5e-4", *BARE, f"{JUDGE}5e-4"),
         *(each_settled for rate in ("1e-3", "5e-4", "2e-3") for each_settled in settled(
             f"depth=1, width=16, hidden=256, discriminator_rate={rate}", *NARROW, f"{JUDGE}{rate}"))),
        base=BARE,
    ),
    "gan-augment": Study(
        "should what the discriminator is shown be changed at random?", "gan", 60, AUGMENTED,
        base=BARE,
    ),
    "gan-few": Study(
        "the same with 1,000 images to learn from?", "gan", 60, AUGMENTED, limit=1000, base=BARE,
    ),
    "gan-few-long": Study("and with five minutes?", "gan", 300, AUGMENTED[:3], limit=1000),
    "gan-batch": Study(
        "how many images a step, and how long an average?", "gan", 60,
        (*each(BATCH, 32, 64, 128), *each(EMA, "0.98", "0.99", "0.998")),
    ),
    "gan-loss": Study(
        "which loss, each at three rates, and at a fourth where the highest was the best?", "gan", 60,
        (*tuned("least squares", (f"{LOSS}least-squares",), "1e-3", "2e-3", "4e-3"),
         *tuned("hinge, spectral norm", HINGE, "1e-3", "2e-3", "4e-3"),
         *tuned("relativistic, R1 + R2", R1R2, "5e-4", "1e-3", "2e-3", "4e-3"),
         *tuned("Wasserstein, penalty", WGAN, "5e-4", "1e-3", "2e-3", "4e-3")),
    ),
    "gan-long": Study(
        "with five minutes: a longer average, a falling rate, what else holds it back?", "gan", 300,
        (Trial("as it is"), Trial(SETTLED, (f"{EMA}0.999", f"{FINAL}0")),
         *settled("no batch normalisation, R1 of .05, rate 1e-3",
                  f"{CRITIC}norm=none", "objective.r1=0.05", *paced("1e-3")),
         *settled("relativistic, R1 + R2 of .05, rate 1e-3",
                  *R1R2, "objective.r1=0.05", "objective.r2=0.05", *paced("1e-3")),
         *settled("discriminator_rate=5e-4, width 32 and 48",
                  f"{JUDGE}5e-4", f"{DECODER}width=32", f"{CRITIC}width=48"),
         *settled("discriminator_rate=5e-4, batch_size=128", f"{JUDGE}5e-4", f"{BATCH}128")),
    ),
    "gan-long-judge": Study(
        "with five minutes: how slowly may the discriminator learn, and what then?", "gan", 300,
        (*(each_settled for rate in ("2e-3", "1e-3", "5e-4", "2.5e-4")
           for each_settled in settled(f"discriminator_rate={rate}", f"{JUDGE}{rate}")),
         *settled("discriminator_rate=1e-3, pairs of images judged", f"{JUDGE}1e-3", f"{CRITIC}pack=2"),
         *settled("discriminator_rate=1e-3, generator 4e-3", f"{JUDGE}1e-3", f"{RATE}4e-3"),
         *settled("discriminator_rate=5e-4, two dense layers", f"{JUDGE}5e-4", f"{DECODER}depth=2"),
         Trial("discriminator_rate=5e-4; ema=0.999", (f"{JUDGE}5e-4", f"{EMA}0.999")),
         Trial("discriminator_rate=5e-4; cooldown, ema=0.99",
               (f"{JUDGE}5e-4", "optimizer.schedule=cooldown", f"{FINAL}0")),
         *settled("discriminator_rate=5e-4, pairs of images judged", f"{JUDGE}5e-4", f"{CRITIC}pack=2"),
         *settled("discriminator_rate=5e-4, generator 1e-3", f"{JUDGE}5e-4", f"{RATE}1e-3"),
         *settled("discriminator_rate=5e-4, beta1=0.5", f"{JUDGE}5e-4", "optimizer.beta1=0.5")),
        base=BARE,
    ),
    "gan-longer": Study(
        "with ten minutes: is there time for a wider network, or for larger batches?", "gan", 600,
        (*settled("discriminator_rate=5e-4", f"{JUDGE}5e-4"),
         *settled("discriminator_rate=5e-4, width 24 and 36",
                  f"{JUDGE}5e-4", f"{DECODER}width=24", f"{CRITIC}width=36"),
         *settled("discriminator_rate=5e-4, width 32 and 48",
                  f"{JUDGE}5e-4", f"{DECODER}width=32", f"{CRITIC}width=48"),
         *settled("discriminator_rate=5e-4, batch_size=128", f"{JUDGE}5e-4", f"{BATCH}128")),
        base=BARE,
    ),
    "gan-long-from-mixture": Study(
        "with five minutes: from the VAE's decoder, z from the mixture?", "gan-from-mixture", 300,
        (Trial("a tenth for the VAE", share=1 / 10), *settled("a tenth for the VAE", share=1 / 10)),
        base=BARE,
    ),
    "large-vae": Study(
        "64 pixels and colours, with a minute: which encoder, how many dimensions?", "vae", 60,
        (Trial("as it is"), Trial("convolutional encoder", CONVOLUTIONS),
         *(Trial(f"convolutional encoder, latent_dim={z}", (*CONVOLUTIONS, f"{LATENT}{z}"))
           for z in (64, 128))),
        data="shapes",
    ),
    "large-gan": Study(
        "64 pixels and colours, with two minutes: how many dimensions?", "gan", 120,
        (Trial("as it is"), *each(LATENT, 128), *each(f"{CRITIC}pack=", 1, 2)),
        data="shapes",
        base=BARE,
    ),
    "gan-from-vae": Study(
        "a GAN from the VAE's decoder: how much of the time for the VAE, z ~ N(0, I)?", "gan-from-vae", 60,
        (Trial("a tenth for the VAE", share=1 / 10), Trial("a sixth", share=1 / 6),
         Trial("a third", share=1 / 3), Trial("half", share=1 / 2)),
        base=BARE,
    ),
    "gan-from-mixture": Study(
        "the same, z drawn from the mixture fitted to the VAE's codes?", "gan-from-mixture", 60,
        (Trial("a tenth for the VAE", share=1 / 10), Trial("a sixth", share=1 / 6),
         Trial("a third", share=1 / 3), Trial("half", share=1 / 2),
         Trial("a third, rate 1e-3", paced("1e-3"), share=1 / 3)),
        base=BARE,
    ),
}  # fmt: skip
