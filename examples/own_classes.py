"""Train a small model on your own classes.

    python examples/own_classes.py FOLDER OUT [EPOCHS]

FOLDER holds a folder of images for each class, or is demo, which is generated.
"""

import sys

import fer_edge
from fer_edge.train.recipe import Recipe

data, out = sys.argv[1:3]
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 40

config = fer_edge.TrainConfig(out, Recipe(epochs=epochs), model="nano")
outcome = fer_edge.train(config, data, note=print)
print(f"{outcome.model}: now fer-edge convert {outcome.model} --int8 --data {data}")
