"""Looking into a network before it is trained for long: gradients, activations, learning rates."""
