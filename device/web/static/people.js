// A card for each person, with a bar for each expression. Cards are kept and changed, not made anew.

import { el, percent, settings, tone } from './page.js';

export class People {
  constructor(list, nobody) {
    this.list = list;
    this.nobody = nobody;
    this.cards = new Map();
  }

  show(faces) {
    const present = new Set(faces.map((face) => face.id));
    for (const [id, card] of this.cards) {
      if (!present.has(id)) { card.item.remove(); this.cards.delete(id); }
    }
    for (const face of faces) {
      if (!this.cards.has(face.id)) this.cards.set(face.id, this.add(face.id));
      fill(this.cards.get(face.id), face);
    }
    this.nobody.hidden = faces.length > 0;
  }

  add(id) {
    const label = el('strong');
    const sure = el('span', { class: 'sure' });
    const bars = new Map(settings.labels.map((name) => [name, bar(name)]));
    const list = el('ul', { class: 'bars' }, ...[...bars.values()].map((b) => b.item));
    const who = el('div', { class: 'who' },
      el('span', { class: 'number' }, el('span', { class: 'visually-hidden' }, 'Person '), String(id)), label, sure);
    const item = el('li', { class: 'person', 'data-person': id }, who, list);
    this.list.append(item);
    return { item, label, sure, bars };
  }
}

function bar(name) {
  const fillElement = el('span', { tone: tone(name) });
  const value = el('span', { class: 'value' });
  const item = el('li', {}, el('span', {}, name), el('span', { class: 'track', 'aria-hidden': 'true' }, fillElement), value);
  return { item, fill: fillElement, value };
}

function fill(card, face) {
  setText(card.label, face.uncertain ? `${face.label}?${face.reason ? ` (${face.reason})` : ''}` : face.label);
  setText(card.sure, percent(face.score));
  for (const [name, score] of Object.entries(face.scores)) {
    const one = card.bars.get(name);
    if (!one) continue;
    one.fill.style.transform = `scaleX(${score})`;
    setText(one.value, percent(score));
    one.item.classList.toggle('top-one', name === face.label);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
