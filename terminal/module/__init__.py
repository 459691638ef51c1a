"""The module card from the shop's side: what it has done, what it may do, its PIN."""
