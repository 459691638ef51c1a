"""Where the money of purses lies, and how it gets there: grants, lost cards, replacements."""
