"""Journal entries as they arrive: read, placed, kept, answered."""
