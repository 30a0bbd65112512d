"""What may happen, by area: each function returns the outcome of a command, or the first reason that speaks against it.

They are called by `decide` once the note and its signatures stand. Checks come in the order of refusals.Reason.
"""
