"""A faithful virtual card, ways to plug it in and to break it, and a simulated town.

``card`` and ``module_card`` are the card's side of the protocol and know nothing of the
host's; ``faults`` and ``vpcd`` stand between the two. ``slot`` and ``shelf`` hold cards
for ``panel``, ``script`` and ``pytest_plugin``; ``town`` puts everything together.
"""
