"""What several recipes have in common."""

from __future__ import annotations

from genlab.experiment import schema

DECODER = schema.Decoder(width=16, depth=2, hidden=256)
"""The default decoder, one for both families: two dense layers bend the space of z, convolutions follow."""
