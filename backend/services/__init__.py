"""The use cases; transactions begin and end here."""
