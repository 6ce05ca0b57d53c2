"""The latent space, dragged through: its directions, the codes in it, and the decoder in the browser."""
