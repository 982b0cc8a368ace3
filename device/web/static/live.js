// Live: the picture with its faces, the people in it, and how the loop is doing.

import { openFeed } from './feed.js';
import { drawFaces } from './overlay.js';
import { byId, el, perRefresh } from './page.js';
import { People } from './people.js';

const STAGES = { skin: '#d58a3c', detect: '#2f8f88', classify: '#7b62c9' };
const SPOKEN_EVERY = 4000;

const people = new People(byId('people'), byId('nobody'));
const bars = new Map(Object.entries(STAGES).map(([name, colour]) => {
  const part = el('span', { tone: colour });
  const value = el('b', {}, '–');
  byId('stages').append(part);
  byId('stage-legend').append(el('li', { tone: colour }, `${name} `, value));
  return [name, { part, value }];
}));

// Figures of single pictures flicker; a person reads a mean.
const smooth = {};
const mean = (name, value) => { smooth[name] = smooth[name] === undefined ? value : 0.9 * smooth[name] + 0.1 * value; return smooth[name]; };

const showFigures = perRefresh((line) => {
  byId('fps').textContent = line.loop.fps.toFixed(1);
  byId('total').textContent = smooth.total.toFixed(1);
  byId('faces').textContent = line.faces.length;
  byId('dropped').textContent = line.loop.dropped.toLocaleString('en');
  for (const [name, { part, value }] of bars) {
    part.style.flexGrow = smooth[name] ?? 0;
    value.textContent = (smooth[name] ?? 0).toFixed(2);
  }
});

let spoken = '';
let spokenAt = -Infinity;
function speak(faces) {
  const text = faces.map((face) => `person ${face.id}: ${face.label}`).join(', ') || 'no face';
  if (text === spoken || performance.now() - spokenAt < SPOKEN_EVERY) return;
  [spoken, spokenAt] = [text, performance.now()];
  byId('spoken').textContent = text;
}

openFeed({
  onResult(line, picture, mirrored) {
    drawFaces(byId('picture'), picture, line, { mirrored });
    for (const name of ['total', ...Object.keys(STAGES)]) mean(name, line.timings_ms[name] ?? 0);
    people.show(line.faces);
    showFigures(line);
    speak(line.faces);
  },
});
