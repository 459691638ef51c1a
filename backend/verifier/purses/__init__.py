"""The history of each purse: its records in order, what proves them, which is off the chain."""
