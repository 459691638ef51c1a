"""The sub-commands of ``borsellino sync``, one module a subject."""
