"""What the Compare page is made of: the table, the curves, the samples, the settings."""
