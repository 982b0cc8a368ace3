// A picture with its faces on a canvas.

import { toneValue } from './page.js';
import { placeLabels, touches } from './placement.js';

// Draw `picture` and the faces of `line`, whose boxes are in pixels of `line.size`; mirrored as in a mirror, but for the words.
export function drawFaces(canvas, picture, line, { mirrored = false, longest = Infinity } = {}) {
  const factor = Math.min(1, longest / Math.max(picture.width, picture.height));
  const width = Math.round(picture.width * factor);
  const height = Math.round(picture.height * factor);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  context.save();
  if (mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(picture, 0, 0, width, height);
  context.restore();
  const scale = width / line.size[0];
  drawAll(context, line.faces, scale, mirrored);
  if (line.frame !== undefined) canvas.dataset.frame = line.frame;
}

function drawAll(context, faces, scale, mirrored) {
  const { width, height, clientWidth } = context.canvas;
  // On a small screen the canvas is shrunk, and its letters are to be read all the same.
  const unit = Math.max(Math.min(width, height) / 480, 0.6, (0.8 * width) / (clientWidth || width));
  const boxes = faces.map((face) => {
    const [left, y, w, h] = face.box.map((value) => value * scale);
    return { x: mirrored ? width - left - w : left, y, w, h };
  });
  const labels = faces.map((face, index) => {
    const size = unit * Math.min(Math.max(boxes[index].h / (96 * unit), 0.7), 1); // small faces, small letters
    const text = `${face.id}  ${face.label}${face.uncertain ? '?' : ''}${face.reason ? ` ${face.reason}` : ''} ${Math.round(100 * face.score)} %`;
    context.font = `600 ${16 * size}px Inter, system-ui, sans-serif`;
    return { text, size, w: context.measureText(text).width + 21 * size, h: 26 * size };
  });
  const places = placeLabels(boxes, labels, width, height);
  faces.forEach((face, index) => drawBox(context, face, boxes[index], places[index], unit));
  faces.forEach((face, index) => drawLabel(context, face, labels[index], places[index]));
}

function drawBox(context, face, box, place, unit) {
  context.beginPath();
  context.roundRect(box.x, box.y, box.w, box.h, Math.min(10 * unit, box.w / 5));
  if (!touches(box, place)) {
    context.moveTo(box.x + box.w / 2, place.y < box.y ? box.y : box.y + box.h);
    context.lineTo(place.x + place.w / 2, place.y + place.h / 2);
  }
  context.setLineDash(face.uncertain ? [8 * unit, 6 * unit] : []);
  for (const [style, wide] of [['rgb(16 20 22)', 6], [toneValue(face.label, context.canvas), 3]]) { // seen on any ground
    context.strokeStyle = style;
    context.lineWidth = wide * unit;
    context.stroke();
  }
  context.setLineDash([]);
}

function drawLabel(context, face, { text, size }, { x, y, w, h }) {
  context.fillStyle = 'rgb(16 20 22 / .82)';
  context.beginPath();
  context.roundRect(x, y, w, h, 7 * size);
  context.fill();
  context.fillStyle = toneValue(face.label, context.canvas);
  context.fillRect(x + 6 * size, y + 6 * size, 3 * size, h - 12 * size);
  context.fillStyle = face.uncertain ? '#c8c8c8' : '#fff';
  context.font = `600 ${16 * size}px Inter, system-ui, sans-serif`;
  context.textBaseline = 'middle';
  context.fillText(text, x + 13 * size, y + h / 2 + size);
}
