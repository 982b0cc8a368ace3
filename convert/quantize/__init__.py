"""Ranges, bias correction and fine-tuning for int8."""
