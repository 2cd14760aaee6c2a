"""Turns raw columns into tensors with Keras layers that become part of the model."""
