"""The sections of the Reconstruct page."""
