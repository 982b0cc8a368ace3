// What every page needs: its settings, small helpers for the document, and the state in the header.

export const settings = JSON.parse(document.body.dataset.settings);
export const byId = (id) => document.getElementById(id);

const KNOWN = new Set(['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']);

// The custom property that holds an expression's colour; a model may bring labels of its own.
export const tone = (label) => `var(--${KNOWN.has(label) ? label : 'other'})`;

export const toneValue = (label, element = document.documentElement) =>
  getComputedStyle(element).getPropertyValue(KNOWN.has(label) ? `--${label}` : '--other').trim();

export const percent = (share) => `${Math.round(100 * share)} %`;

// Make an element: el('li', {class: 'x', onclick: f}, 'text', child).
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'tone') element.style.setProperty('--tone', value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

export function say(element, text, kind = '') {
  element.textContent = text;
  element.className = `message ${kind}`;
}

export function showState(text, on) {
  const state = byId('state');
  state.hidden = !text;
  if (state.textContent !== text) state.textContent = text;
  state.toggleAttribute('data-on', on);
}

// Call `draw` at most once per screen refresh, with the latest arguments.
export function perRefresh(draw) {
  let latest = null;
  return (...values) => {
    if (!latest) requestAnimationFrame(() => { const now = latest; latest = null; draw(...now); });
    latest = values;
  };
}

export function download(blob, name) {
  const link = el('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
