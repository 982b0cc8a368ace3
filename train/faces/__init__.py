"""Training of the face detector: a proposer on the whole frame and a refiner on crops."""
