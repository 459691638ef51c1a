"""Formats that leave the terminal: money, ids, entries, batches, verdicts, bundle.

Pure, and shared with the backend. The decoder accepts one canonical form and
refuses every other; signed bytes are kept as received (DESIGN 2, law 11).
"""
