"""What the operator signed and others keep binds the books from outside."""
