"""Where a layer is in trouble. Reports read these limits, and they start without TensorFlow."""

DEAD_SHARE = 0.5  # of its units
VANISHED = 1e-3  # gradient of the first layer against that of the last
EXPLODED = 10.0  # root mean square of a gradient: a step of it at rate 0.1 moves each weight by 1
