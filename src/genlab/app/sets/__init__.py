"""Images to train on: what a set holds, what the model will see of it, and those that are uploaded."""
