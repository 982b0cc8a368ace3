"""fer-edge: facial expression recognition from a data set to a Raspberry Pi, measured honestly.

This package holds what both machines share: labels, preprocessing, the model file, the TFLite
runtime, metrics, errors and the shell of the command line. The workstation's parts live in
``fer_edge.train`` and ``fer_edge.convert``, the Raspberry Pi's in ``fer_edge.device``.
"""

__version__ = "0.1.0"
