"""Print the faces of a photo as JSON.

python examples/photo_to_json.py PHOTO
"""

import json
import sys

import fer_edge

faces = fer_edge.read_image(sys.argv[1])
print(json.dumps([face.to_dict() for face in faces], indent=1))
