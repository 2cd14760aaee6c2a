"""Trains a network: callbacks, schedules, state to resume from, augmentation and transfer learning."""
