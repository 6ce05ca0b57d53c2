"""One loop for every family, and what it carries: optimizers, averaged weights, checkpoints."""
