"""The panel's parts, one widget a module."""
