"""Use cases. Each begins and ends its own transactions."""
