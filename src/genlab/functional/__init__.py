"""Pure equations: per example, in nats, under the paper's name. The caller averages once."""
