"""Tallystick keeps compute vouchers in an append-only log of signed entries that anybody can audit."""

__version__ = "0.1.0"

__all__ = ["__version__"]
