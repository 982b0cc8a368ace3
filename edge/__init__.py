"""fer-edge: facial expression recognition from a data set to a Raspberry Pi, measured honestly.

What programs call is imported when it is first used::

    import fer_edge

    for result in fer_edge.run("video.mp4"): ...     # also a camera, a folder, a Source
    faces = fer_edge.read_image("photo.jpg")         # a path or an array
    model = fer_edge.load_model("compact")           # for crops that are cut already
    fer_edge.train(config, data)                     # on the workstation, with convert and evaluate
    fer_edge.benchmark("compact")                    # latency of this machine

The folder ``edge/`` is this package: the contract that both machines share. What the workstation writes and the
Raspberry Pi reads is defined here once: labels (`labels`), the crop that a model sees (`preprocess`), the model
file (`model_file`), how it is run (`runtime`), how it is measured (`metrics`), errors (`errors`). The shell of the
command line is here as well. The workstation's parts live in ``fer_edge.train`` and ``fer_edge.convert``, the
Raspberry Pi's in ``fer_edge.device``.
"""

TYPE_CHECKING = False  # as typing's, whose import would double the time of this one
if TYPE_CHECKING:
    from fer_edge.benchmarking import benchmark
    from fer_edge.convert.api import convert
    from fer_edge.device.reader import FaceReader, read_image
    from fer_edge.device.run import RunConfig, run
    from fer_edge.errors import FerEdgeError
    from fer_edge.shipped import load_model
    from fer_edge.train.api import compare, evaluate, train
    from fer_edge.train.runs.config import TrainConfig

__version__ = "0.1.0"

__all__ = [
    "FaceReader",
    "FerEdgeError",
    "RunConfig",
    "TrainConfig",
    "benchmark",
    "compare",
    "convert",
    "evaluate",
    "load_model",
    "read_image",
    "run",
    "train",
]

NAMES = {
    "FaceReader": "fer_edge.device.reader:FaceReader",
    "FerEdgeError": "fer_edge.errors:FerEdgeError",
    "RunConfig": "fer_edge.device.run:RunConfig",
    "TrainConfig": "fer_edge.train.runs.config:TrainConfig",
    "benchmark": "fer_edge.benchmarking:benchmark",
    "compare": "fer_edge.train.api:compare",
    "convert": "fer_edge.convert",
    "evaluate": "fer_edge.train.api:evaluate",
    "load_model": "fer_edge.shipped:load_model",
    "read_image": "fer_edge.device.reader:read_image",
    "run": "fer_edge.device.run:run",
    "train": "fer_edge.train",
}
"""Public name -> where it lives; the packages ``train`` and ``convert`` are called themselves."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in NAMES:
        raise AttributeError(f"module 'fer_edge' has no attribute '{name}'")
    from fer_edge.lazy import load

    value = globals()[name] = load(NAMES[name])
    return value


def __dir__() -> list[str]:
    """List the public names beside what is imported already."""
    return sorted({*globals(), *__all__})
