"""The layers of the house: normalisations, resampling, the residual block, the trunk."""
