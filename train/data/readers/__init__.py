"""One module for each form that data sets come in."""
