// Chart: one person's probabilities over time, the share of each expression, and both to take along.

import { openFeed } from './feed.js';
import { byId, download, el, percent, settings, tone } from './page.js';
import { dashesOf, plot } from './plot.js';
import { Recording } from './record.js';

const PER_SECOND = 10; // drawings; the table is read, not watched, and renewed every fifth time
const recording = new Recording(settings.labels);
const canvas = byId('chart');
const select = byId('person');
let paused = false;
let changed = true;

// A piece of a class's line as the chart draws it.
function stroke(index) {
  const [picture, line] = ['svg', 'line'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
  Object.entries({ x1: 0, x2: 34, y1: 4, y2: 4, 'stroke-dasharray': dashesOf(index).join(' ') }).forEach((one) => line.setAttribute(...one));
  Object.entries({ width: 34, height: 8 }).forEach((one) => picture.setAttribute(...one));
  picture.append(line);
  return picture;
}

const cells = settings.labels.map((label, index) => {
  const part = el('span', { tone: tone(label) });
  const [share, now, mean] = [el('td'), el('td'), el('td')];
  byId('shares').append(part);
  byId('legend').append(el('li', { tone: tone(label) }, stroke(index), label));
  byId('rows').append(el('tr', { tone: tone(label) }, el('th', { scope: 'row' }, label), share, now, mean));
  return { part, share, now, mean };
});

// The one who is chosen; by default whoever is nearest, which is the largest face.
function chosen(faces) {
  if (select.value) return faces.find((face) => String(face.id) === select.value);
  return faces.reduce((a, b) => (a && a.box[2] >= b.box[2] ? a : b), null);
}

const MOST_CHOICES = 50;
function offer(faces) {
  for (const face of faces) {
    if ([...select.options].some((option) => option.value === String(face.id))) continue;
    select.append(el('option', { value: face.id }, `person ${face.id}`));
    const oldest = [...select.options].find((option) => option.value && !option.selected);
    if (select.options.length > MOST_CHOICES) oldest?.remove();
  }
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  plot(context, canvas.clientWidth, canvas.clientHeight, recording.rows, settings.labels);
}

function showSummary() {
  const total = recording.rows.length;
  recording.summary().forEach(({ share, now, mean }, index) => {
    const cell = cells[index];
    cell.part.style.flexGrow = share;
    cell.part.hidden = share === 0;
    cell.share.textContent = percent(share);
    cell.now.textContent = percent(now);
    cell.mean.textContent = percent(mean);
  });
  if (!total) return;
  const seconds = recording.rows.at(-1).time - recording.rows[0].time;
  byId('recorded').textContent = `${total.toLocaleString('en')} results in ${seconds.toFixed(0)} seconds recorded` +
    `${recording.left ? `, the ${recording.left.toLocaleString('en')} before them let go` : ''}. They stay in this page and go with it.`;
}

function exportPng() {
  const [width, height, ratio] = [1200, 520, 2];
  const picture = new OffscreenCanvas(width * ratio, height * ratio);
  const context = picture.getContext('2d', { alpha: false });
  context.scale(ratio, ratio);
  plot(context, width, height, recording.rows, settings.labels, { title: 'Probability of each expression' });
  picture.convertToBlob({ type: 'image/png' }).then((blob) => download(blob, 'expressions.png'));
}

let turn = 0;
setInterval(() => {
  if (!changed || document.hidden) return;
  changed = false;
  draw();
  if (turn++ % 5 === 0) showSummary();
}, 1000 / PER_SECOND);
addEventListener('resize', () => { changed = true; });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { changed = true; });

byId('pause').addEventListener('click', () => {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', paused);
  showSummary();
});
byId('clear').addEventListener('click', () => { recording.clear(); changed = true; showSummary(); });
byId('csv').addEventListener('click', () => download(new Blob([recording.toCsv()], { type: 'text/csv' }), 'expressions.csv'));
byId('png').addEventListener('click', exportPng);
select.addEventListener('change', () => { recording.clear(); changed = true; showSummary(); });

openFeed({
  pictures: false,
  onResult(line) {
    offer(line.faces);
    const face = chosen(line.faces);
    if (!face || paused) return;
    recording.add(line, face);
    changed = true;
  },
});
showSummary();
