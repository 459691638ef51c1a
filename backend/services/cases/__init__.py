"""Money in suspense, and what people decide about it."""
