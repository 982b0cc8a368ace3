"""The folder by which a conversion is asked of its process, and answered: names of the files in it."""

GRAPH = "graph.npz"
"""The folded graph, as `save_graph` writes it."""

RANGES = "ranges.json"
"""Name of a value -> its least and greatest; there for int8 only."""

ANSWER = "model.tflite"
"""The flatbuffer."""
