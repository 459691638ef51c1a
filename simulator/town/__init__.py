"""The composition root of the project, which may import everything.

``demo`` is the small town of ``borsellino demo``, on real files and a real line. The rest
is the simulated town of ``borsellino sim town``: weeks of cards, people, tills, a desk, the
backend and the bank in virtual time, from one seed, under faults and attacks.
"""
