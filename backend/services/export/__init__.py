"""The ledger as signed documents, for the verifier."""
