"""The errors that fer-edge raises on purpose; the command line prints them as one line and exits with 1.

A message says what was expected, what was found and what to do. It is complete without the traceback.
"""


class FerEdgeError(Exception):
    """Base of every error a user can cause; its text is ready to be printed."""


class ConfigError(FerEdgeError):
    """A setting out of its range, or one that does not go with another; wrong usage (status 2) on the command line.

    Attributes:
        option: name of the setting at fault, as the configuration has it: ``tls_cert`` for ``--tls-cert``. The text
            names settings in backquotes.
    """

    def __init__(self, option: str, text: str) -> None:
        super().__init__(text)
        self.option = option


class DataError(FerEdgeError):
    """A data set that cannot be read as it should: names the file and the row."""


class ModelFileError(FerEdgeError):
    """A model file that is missing, damaged, or not of the kind that was asked for."""


class ConversionError(FerEdgeError):
    """A model that cannot be converted, or a conversion whose result is not what it claims to be."""


class SourceError(FerEdgeError):
    """A camera, video, photo or folder that delivers no pictures."""


class OutputError(FerEdgeError):
    """A result that could not be written: full disk, read-only folder, closed pipe."""


class MissingExtraError(FerEdgeError):
    """A command that needs an optional part of fer-edge which is not installed."""


class DeployError(FerEdgeError):
    """A machine that cannot be reached, or that cannot become what was asked for; names the reason and the remedy."""


class MeasurementError(FerEdgeError):
    """A result of a measurement that cannot be read, or not be compared with another."""
