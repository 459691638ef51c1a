"""Purse drivers behind the ``PurseCard`` port: one module a kind of card."""
