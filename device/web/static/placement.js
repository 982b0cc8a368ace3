// Where the labels of faces go: beside their boxes, off all faces and off each other, inside the picture. The same rule as device/outputs/drawing/placement.py.

const GAP = 2;
const ROWS = 4;
const MOST = 30; // faces up to which labels keep off what they would cover

const shared = (a, b) => Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x))
  * Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));

function* around(face, { w, h }) {
  const lefts = [face.x, face.x + face.w - w, face.x + (face.w - w) / 2];
  const [above, below] = [face.y - h - GAP, face.y + face.h + GAP];
  for (const y of [above, below]) for (const x of lefts) yield { x, y, w, h };
  for (const x of [face.x + face.w + GAP, face.x - w - GAP]) for (const y of [face.y, face.y + face.h - h]) yield { x, y, w, h };
  for (let row = 1; row < ROWS; row += 1) {
    for (const y of [above - row * (h + GAP), below + row * (h + GAP)]) for (const x of lefts) yield { x, y, w, h };
  }
}

// Return the place of each face's label; faces and sizes in pixels of a picture of width x height.
export function placeLabels(faces, sizes, width, height) {
  const placed = new Map();
  const order = faces.map((face, index) => index).sort((a, b) => faces[b].h - faces[a].h);
  for (const index of order) {
    let best = null;
    let least = Infinity;
    let rank = 0;
    for (const place of around(faces[index], sizes[index])) {
      place.x = Math.max(Math.min(place.x, width - place.w), 0);
      place.y = Math.max(Math.min(place.y, height - place.h), 0);
      const covered = faces.reduce((sum, face) => sum + shared(place, face), 0)
        + 3 * [...placed.values()].reduce((sum, other) => sum + shared(place, other), 0);
      if (covered + 0.001 * rank < least) [best, least] = [place, covered + 0.001 * rank];
      rank += 1;
      if (covered === 0 || faces.length > MOST) break;
    }
    placed.set(index, best);
  }
  return faces.map((face, index) => placed.get(index));
}

// Whether a label lies at its face, so that nobody needs a line from one to the other.
export function touches(face, label) {
  return shared({ x: face.x - 2 * GAP, y: face.y - 2 * GAP, w: face.w + 4 * GAP, h: face.h + 4 * GAP }, label) > 0;
}
