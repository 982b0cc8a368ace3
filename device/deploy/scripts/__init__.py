"""The shell scripts that work on a target, one per step."""

from importlib import resources


def script(name: str) -> str:
    """Return the text of ``NAME.sh``."""
    return resources.files(__name__).joinpath(f"{name}.sh").read_text()
