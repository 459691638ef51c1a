"""Fuzzers: of the card's operating system, and of the library that listens to a card.

``python -m tests.fuzz card|library --minutes 10 --seed 1`` runs one for as long as wanted;
the tests here run both for a fixed number of rounds with a fixed seed. A round is decided
by seed and number alone, so what was found is found again with ``--seed S --round N``.
"""
