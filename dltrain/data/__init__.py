"""Where raw data comes from, and which rows are for what."""
