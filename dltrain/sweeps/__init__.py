"""Runs many jobs from one command, with a ledger that survives interruption, and ranks them."""
