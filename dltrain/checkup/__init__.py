"""Looking into a network before and after training: gradients, activations, learning rates."""
