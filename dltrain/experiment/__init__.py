"""One run from raw data to its directory."""
