"""Compiled epochs: graphs around Keras' own steps, shared and kept."""
