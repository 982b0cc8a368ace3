"""The seven expressions of FER2013, in the data set's own order, and the names other data sets give them."""

from fer_edge.text import label_text

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Class names; the index is FER2013's ``emotion`` number (Goodfellow et al. 2013, arXiv:1307.0414)."""

SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""Folder names met in the wild, lower case, and the class they mean here."""


def canonical(name: str) -> str:
    """Return the class name meant by a folder or label name: see `label_text`; lower case, synonyms resolved."""
    name = label_text(label_text(name).lower())  # what is lower case may need to be composed again
    return SYNONYMS.get(name, name)


ON_DARK = {
    "angry": "#f74709",
    "disgust": "#70e3a9",
    "fear": "#b2a4f7",
    "happy": "#ebc827",
    "sad": "#0c87e1",
    "surprise": "#d78799",
    "neutral": "#e6effc",
}
"""Each expression's colour on a dark ground: the labels in pictures, the live page on a dark screen.

These and `ON_LIGHT` were searched for so that any two differ also for people who do not see red, green or blue apart
(tests/edge/test_labels.py measures it). No colour says anything alone: the label's name always stands beside it.
"""
OTHER_ON_DARK = "#63c9bf"
"""Of a label that is none of the seven."""

ON_LIGHT = {
    "angry": "#830604",
    "disgust": "#367241",
    "fear": "#7b28ad",
    "happy": "#b48634",
    "sad": "#3b83ff",
    "surprise": "#f34d9e",
    "neutral": "#39404a",
}
"""The same on a light ground: the live page on a light screen, and plots."""
OTHER_ON_LIGHT = "#0f6b66"
