"""A network as plain data: read from Keras, folded, computed."""
