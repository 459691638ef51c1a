"""A sale: the state table, what it may take from which wallet, and the session that runs it.

No screen, no network, no clock of its own: ``SaleSession`` is driven by ``terminal pay``,
by the till's screens and by the simulated town alike (PROTOCOL 5).
"""
