"""The sub-commands of ``borsellino terminal``, one module a subject."""
