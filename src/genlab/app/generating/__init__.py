"""Images from latents: samples, ways between them, and sums of them."""
