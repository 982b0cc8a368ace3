"""Face data sets: what is annotated, what to believe of it, and the images in memory."""
