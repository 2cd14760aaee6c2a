"""Holds the limits beyond which a layer is in trouble, for reports, which start without TensorFlow."""

DEAD_SHARE = 0.5  # of its units that are always zero
VANISHED = 1e-3  # ratio of the gradient in the first layer to that in the last
EXPLODED = 10.0  # root mean square of a gradient, which at a learning rate of 0.1 moves each weight by 1
