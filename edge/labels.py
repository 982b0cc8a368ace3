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
