"""What a run writes for TensorBoard, beside its own report."""
