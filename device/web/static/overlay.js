// A picture with its faces on a canvas.

import { toneValue } from './page.js';

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
  for (const face of line.faces) drawFace(context, face, scale, mirrored);
  if (line.frame !== undefined) canvas.dataset.frame = line.frame;
}

function drawFace(context, face, scale, mirrored) {
  const { width, height } = context.canvas;
  const [left, top, w, h] = face.box.map((value) => value * scale);
  const x = mirrored ? width - left - w : left;
  const unit = Math.max(Math.min(width, height) / 480, 0.6);
  const colour = toneValue(face.label, context.canvas);
  context.lineWidth = 3 * unit;
  context.strokeStyle = colour;
  context.beginPath();
  context.roundRect(x, top, w, h, 10 * unit);
  context.stroke();
  context.font = `600 ${16 * unit}px Inter, system-ui, sans-serif`;
  const text = `${face.id}  ${face.label}${face.uncertain ? '?' : ''} ${Math.round(100 * face.score)} %`;
  const wide = context.measureText(text).width + 16 * unit;
  const tall = 26 * unit;
  const labelX = Math.min(Math.max(x, 0), Math.max(width - wide, 0));
  const above = top - tall - 4 * unit;
  const labelY = above >= 0 ? above : Math.min(top + h + 4 * unit, height - tall);
  context.fillStyle = 'rgb(16 20 22 / .82)';
  context.beginPath();
  context.roundRect(labelX, labelY, wide, tall, 7 * unit);
  context.fill();
  context.fillStyle = colour;
  context.fillRect(labelX + 6 * unit, labelY + 6 * unit, 3 * unit, tall - 12 * unit);
  context.fillStyle = '#fff';
  context.textBaseline = 'middle';
  context.fillText(text, labelX + 13 * unit, labelY + tall / 2 + unit);
}
