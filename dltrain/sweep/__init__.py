"""Many jobs from one command: a ledger that survives interruption, searches, and what came out best."""
