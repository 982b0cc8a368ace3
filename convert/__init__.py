"""From a trained model to a verified int8 TFLite file."""
