"""The keys of purses, and the sets that a municipality announces."""
