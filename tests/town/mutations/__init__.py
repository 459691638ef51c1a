"""Defects put into the product on purpose, to see that the town's checks notice each.

``python -m tests.town.mutations`` plays every defect on the seeds 1 to 20 until it is caught.
What it found is kept in docs/mutations.md; ``tests/town/test_mutations.py`` plays each defect
once more, on the seed that is known to catch it.
"""
