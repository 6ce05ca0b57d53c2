"""The one exception that a user's mistake raises."""


class UserError(ValueError):
    """A mistake of the user's, in one sentence: what was wrong, where, and what to do next.

    The command line prints the sentence and exits with code 2; the app shows it as a message."""
