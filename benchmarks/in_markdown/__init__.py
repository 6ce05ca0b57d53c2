"""What the benchmarks found, as the tables of the docs' pages. Without torch."""
