"""The laws of DESIGN 2, checked after every happening of the simulated town.

``town_checks.TownChecks`` watches a town (:mod:`~simulator.town.checks.evidence` says what it
must show) and raises ``TownError`` at the first breach. Everything is incremental: transfers
after the last number, cards whose records changed, journal entries after the last one. What
the world knows and the books cannot know, it declares in ``declared.Declared``: goods that
changed hands, alarms that must come, devices that are no longer honest.
"""
