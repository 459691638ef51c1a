"""What the till's screen is made of: one widget a module."""
