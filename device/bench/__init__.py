"""Measuring latency and accuracy where the model runs, and comparing what was measured."""
