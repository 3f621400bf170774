"""How fast, how small: `python -m benchmarks` measures the real parts and says whether each target is met."""
