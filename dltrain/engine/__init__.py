"""Trains by compiled epochs: graphs around Keras' own steps, which models share and files keep."""
