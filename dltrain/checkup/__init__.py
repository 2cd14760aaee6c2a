"""Checks a network before a long training: gradients, activations, learning rates."""
