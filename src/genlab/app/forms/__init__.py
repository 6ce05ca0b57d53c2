"""What is trained: asked for by forms that the schema draws, checked, and started."""
