"""Who is who over time, and what their expression is."""
