"""Paying the merchants: batches, their money, outcomes."""
