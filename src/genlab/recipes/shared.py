"""What several recipes have in common."""

from __future__ import annotations

from genlab.experiment import schema

DECODER = schema.Decoder(width=16, depth=1, hidden=256)
"""The default decoder, one for both families: a dense layer bends the space of z, convolutions follow."""
