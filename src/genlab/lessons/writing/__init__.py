"""What a lesson's record becomes: a page, Markdown, a notebook."""
