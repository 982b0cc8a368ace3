"""``python -m fer_edge``: the same as the ``fer-edge`` command."""

from fer_edge.cli import main

main(prog_name="fer-edge")
