"""Holds every private name and process-wide setting of TensorFlow, Keras, Hydra and Optuna."""
