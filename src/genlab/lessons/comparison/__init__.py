"""Runs side by side: one comparison as JSON, CSV, LaTeX, or a self-contained page."""
