"""The app: pages in a browser. It never trains; it starts `genlab train` and reads the run folder."""
