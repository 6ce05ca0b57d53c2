"""The lesson pages: another face of `genlab.lessons`. Nothing here imports torch."""
