"""Pure functions of features, probabilities or images: nothing here knows a model or a network."""
