"""What the backend concludes about a purse, and the postings that follow."""
