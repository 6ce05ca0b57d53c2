"""`python -m genlab`, and so `torchrun … -m genlab`."""

from genlab.cli import main

main()
