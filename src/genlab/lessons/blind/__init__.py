"""A blind comparison by a person: trials of unlabelled images, a page to choose on, a key kept apart."""
