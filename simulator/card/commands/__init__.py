"""The commands of the card, a module a family; ``table`` says which exist."""
