"""The ledger as exported, and what a document may demand of it."""
