"""Answers from the log that can be thrown away and built again: balances, statements, histories."""
