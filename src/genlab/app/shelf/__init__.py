"""What the Runs page is made of: the table, a run's panel, what can be taken away, the bin."""
