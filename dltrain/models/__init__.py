"""Builds networks: functions from feature tensors to the output of a head."""
