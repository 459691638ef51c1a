"""The independent audit of an export: imports nothing of ours, a second decoder on purpose."""
