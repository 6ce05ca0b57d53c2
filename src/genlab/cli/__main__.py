"""`python -m genlab.cli`: how the app starts a worker, with the Python that runs the app."""

from genlab.cli import main

main()
