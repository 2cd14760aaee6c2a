"""How good answers are, how sure that is, and what simple models reach."""
