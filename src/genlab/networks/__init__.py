"""The parts of both families: encoder, decoder, discriminator, prior, observation."""
