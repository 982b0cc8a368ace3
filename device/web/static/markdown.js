// The part of Markdown that a model card uses, made into elements and never into markup.

import { el } from './page.js';

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return el('code', {}, part.slice(1, -1));
    if (part.startsWith('**')) return el('strong', {}, part.slice(2, -2));
    return part;
  });
}

const isTable = (block) => block.length > 1 && /^\|?[\s:|-]+\|[\s:|-]*$/.test(block[1]);
const split = (row) => row.replace(/^\||\|\s*$/g, '').split('|').map((cell) => cell.trim());

function table([head, , ...rows]) {
  const cells = (row, name) => el('tr', {}, ...split(row).map((text, i) => {
    const header = name === 'th' || i === 0;
    return el(header ? 'th' : 'td', header ? { scope: name === 'th' ? 'col' : 'row' } : {}, ...inline(text));
  }));
  const label = `Table of ${split(head).join(', ').replaceAll('`', '')}`; // a card has several, told apart by name
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    el('table', {}, el('thead', {}, cells(head, 'th')), el('tbody', {}, ...rows.map((row) => cells(row, 'td')))));
}

function list(lines) {
  const items = [];
  for (const line of lines) {
    if (line.startsWith('- ')) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return el('ul', {}, ...items.map((item) => el('li', {}, ...inline(item))));
}

export function render(text) {
  const blocks = text.replace(/<!--.*?-->\n?/gs, '').split(/\n\s*\n/).map((block) => block.split('\n').filter((line) => line.trim()));
  return blocks.filter((block) => block.length).map((block) => {
    const heading = /^#+\s+(.*)/.exec(block[0]);
    if (heading) return el('h3', {}, ...inline(heading[1]));
    if (isTable(block)) return table(block);
    if (block.every((line) => /^\s{4,}/.test(line))) return el('pre', { tabindex: 0 }, block.map((line) => line.trim()).join('\n'));
    if (block[0].startsWith('- ')) return list(block);
    return el('p', {}, ...inline(block.join(' ')));
  });
}
