"""A finished run as a web service: one POST for rows, and a page to try single ones."""
