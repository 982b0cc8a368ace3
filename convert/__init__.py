"""From a trained model to a verified int8 TFLite file.

The package can be called: ``fer_edge.convert(...)`` is `fer_edge.convert.api.convert`.
"""

import sys

from fer_edge.lazy import CallablePackage

CALLED = "fer_edge.convert.api:convert"
sys.modules[__name__].__class__ = CallablePackage
