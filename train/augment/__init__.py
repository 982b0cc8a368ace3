"""Augmentation, as Keras layers of the training step."""
