"""The independent audit of an export: imports nothing of ours, a second decoder on purpose.

``audit`` puts the judgement together; each package is a part of it: ``decoder`` and ``export``
read, ``journals``, ``evidence``, ``purses``, ``grants``, ``ledger`` and ``conservation`` judge,
``report`` tells. ``findings``, ``workbook`` and ``registry`` serve them all.
"""
