"""The workstation: data sets, augmentation, the model zoo, training and evaluation.

The package can be called: ``fer_edge.train(...)`` is `fer_edge.train.api.train`.
"""

import sys

from fer_edge.lazy import CallablePackage

CALLED = "fer_edge.train.api:train"
sys.modules[__name__].__class__ = CallablePackage
