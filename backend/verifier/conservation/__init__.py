"""Laws 1 and 6: each document against the ledger, fund to bank; a file a step."""
