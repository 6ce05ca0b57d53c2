"""The lessons by name."""

from __future__ import annotations

from importlib import import_module

from genlab.errors import UserError
from genlab.lessons.lesson import Lesson

QUESTIONS: dict[str, tuple[str, ...]] = {  # the module's name, and the names that a course may call it by
    "reparameterization": ("q1",),
    "kl": ("q2",),
    "latent_dim": ("q3",),
    "decoder_to_generator": ("part2", "q4"),
    "encoder_and_discriminator": ("q5",),
    "compare": ("q6",),
}


def names() -> list[str]:
    """Every lesson's own name, as commands and addresses know it."""
    return [module.replace("_", "-") for module in QUESTIONS]


def lesson_called(name: str) -> Lesson:
    """Raises UserError with the names that there are."""
    for module, others in QUESTIONS.items():
        if name in (module.replace("_", "-"), *others):
            found: Lesson = import_module(f"genlab.lessons.questions.{module}").LESSON
            return found
    known = ", ".join(f"{name} ({', '.join(QUESTIONS[name.replace('-', '_')])})" for name in names())
    raise UserError(f"no lesson is called {name!r}; there are {known}")
