"""A run as it trains: its curves, its sheets, and the levers that reach into it."""
