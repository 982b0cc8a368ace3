"""Published data sets whose files have a layout of their own."""
