"""What is told to a home: states of the people in front of a camera, and entries for Home Assistant."""
