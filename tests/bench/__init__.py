"""Benchmarks (``./run bench``): ratios and counts measured in one run, since machines differ."""
