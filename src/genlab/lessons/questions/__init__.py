"""The course's questions, a module each."""
