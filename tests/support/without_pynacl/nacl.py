"""First on PYTHONPATH, this makes a machine where PyNaCl isn't installed (.ci/run)."""

raise ImportError("PyNaCl is hidden")
