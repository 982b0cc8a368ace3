// Device: what model, what machine, and what doctor says.

import { render } from './markdown.js';
import { byId, el } from './page.js';

const MARKS = { ok: '✓', warning: '!', problem: '✗', unknown: '?' };
const RENEWED = 10000;

const facts = (pairs) => pairs.filter(([, value]) => value != null && value !== '')
  .flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))]);

const count = (number) => (number == null ? null : number.toLocaleString('en'));

function modelCard(model) {
  const list = el('dl', { class: 'facts' }, ...facts([
    ['Name', model.name],
    ['Accuracy', model.accuracy],
    ['Classes', model.labels.join(', ')],
    ['Input', model.input],
    ['Trained on', model.trained_on],
    ['Parameters', count(model.parameters)],
    ['Multiply-adds', count(model.multiply_adds)],
    ['Quantization', model.quantization],
    ['File', `${Math.round(model.bytes / 1024)} KB`],
    ['SHA-256', model.sha256],
  ]));
  const text = model.card && el('details', {}, el('summary', {}, 'The whole model card'),
    el('div', { class: 'card-text' }, ...render(model.card)));
  return [list, ...(text ? [text] : [])];
}

const temperature = el('dd', {}, '–');

async function showFacts() {
  const { models, machine, temperature: now } = await (await fetch('/api/device')).json();
  byId('models').className = '';
  byId('models').replaceChildren(...models.flatMap(modelCard));
  byId('machine').replaceChildren(...facts([
    ['Board', machine.board ?? 'not a Raspberry Pi'],
    ['Processor', machine.processor],
    ['Cores', machine.cores],
    ['Architecture', machine.architecture],
    ['System', machine.system],
    ['Python', machine.python],
    ...Object.entries(machine.versions),
  ]), el('dt', {}, 'Temperature'), temperature);
  temperature.textContent = now ?? 'not told by this machine';
  byId('summary').textContent = `${machine.board ?? machine.processor}, ${machine.system}`;
}

async function renewTemperature() {
  if (document.hidden) return;
  const response = await fetch('/api/device').catch(() => null);
  if (response?.ok) temperature.textContent = (await response.json()).temperature ?? 'not told by this machine';
}

function finding({ name, status, found, advice }) {
  return el('li', { class: status }, el('span', { class: 'mark', 'aria-hidden': 'true' }, MARKS[status]),
    el('span', {}, el('b', {}, name), el('span', { class: 'visually-hidden' }, ` (${status})`), ` ${found}`),
    ...(advice ? [el('span', { class: 'advice' }, el('code', {}, advice))] : []));
}

async function examine(method) {
  byId('again').disabled = true;
  byId('verdict').textContent = 'Checking; it takes a few seconds …';
  try {
    const { verdict, findings } = await (await fetch('/api/doctor', { method })).json();
    byId('verdict').textContent = verdict;
    byId('findings').replaceChildren(...findings.map(finding));
  } catch {
    byId('verdict').textContent = 'The server does not answer.';
  }
  byId('again').disabled = false;
}

byId('again').addEventListener('click', () => examine('POST'));
showFacts().catch(() => { byId('summary').textContent = 'The server does not answer.'; });
examine('GET');
setInterval(renewTemperature, RENEWED);
