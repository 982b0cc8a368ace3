"""Faces drawn into frames: boxes in the expressions' colours, labels that keep off faces and off each other."""

from fer_edge.device.outputs.drawing.faces import LONGEST, draw_faces, encode

__all__ = ["LONGEST", "draw_faces", "encode"]
