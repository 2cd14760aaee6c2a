"""From raw columns to tensors, inside the model."""
