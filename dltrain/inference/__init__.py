"""A finished run in use: new rows in, named answers out."""
