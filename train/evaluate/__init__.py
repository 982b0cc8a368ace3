"""Measuring a model: metrics, robustness, plots."""
