"""The tables, one module a subject; ``everything`` imports them all."""
