"""The simulated town and the demo: the composition root, which may import everything."""
