"""What an audit says: on the screen, on paper, as one object; in two languages."""
