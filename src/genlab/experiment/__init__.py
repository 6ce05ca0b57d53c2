"""What is run: frozen configs, how they are built into models, and the run itself."""
