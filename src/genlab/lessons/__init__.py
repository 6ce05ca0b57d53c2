"""The course's questions, each answered by a measured experiment."""
