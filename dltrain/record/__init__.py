"""Writes, reads, compares and reproduces run directories."""
