"""Write the faces of a folder of photos to a CSV file.

    python examples/folder_to_csv.py FOLDER OUT.csv

For thousands of photos use `fer-edge analyze`, which takes all cores and continues when interrupted.
"""

import csv
import sys
from pathlib import Path

import fer_edge

folder, out = map(Path, sys.argv[1:3])
reader = fer_edge.FaceReader("compact")
with out.open("w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["file", "x", "y", "w", "h", "label", "score"])
    for photo in sorted(folder.glob("*.jpg")):
        try:
            faces = reader.read(photo)
        except fer_edge.FerEdgeError as error:
            print(error, file=sys.stderr)
            continue
        table.writerows([photo.name, *face.box, face.label, f"{face.score:.3f}"] for face in faces)
