"""A VAE and the GAN made from it: their networks, and what the discriminator says."""
