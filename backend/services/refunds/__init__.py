"""What a purse gets back: refunds of sales, and goods that were returned."""
