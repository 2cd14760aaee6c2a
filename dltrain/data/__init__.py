"""Loads raw data, checks it, and splits its rows into train, validation and test parts."""
