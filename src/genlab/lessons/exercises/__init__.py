"""Exercises: a function with a blank, held against the laws that the lab's own function passes."""
