"""What a family lacks, said in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unavailable:
    """Stands where a number would stand if there were one: a GAN's likelihood, the classes of plain images.

    It is neither 0 nor NaN, so that no mean and no ranking can take it for a number; `reason` is a phrase
    that finishes the sentence "unavailable: ...".
    """

    reason: str

    def __str__(self) -> str:
        return f"unavailable: {self.reason}"

    def as_json(self) -> dict[str, str]:
        return {"unavailable": self.reason}
