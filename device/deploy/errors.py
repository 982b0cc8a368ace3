"""The error of a deployment."""

from fer_edge.errors import FerEdgeError


class DeployError(FerEdgeError):
    """A machine that cannot be reached, or that cannot become what was asked for; names the reason and the remedy."""
