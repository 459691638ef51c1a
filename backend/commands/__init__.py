"""The sub-commands of ``borsellino backend``, one module a subject; ``backend.cli`` joins them."""
