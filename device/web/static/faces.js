// Drawn faces: what an expression looks like, in a few lines.

const HEAD = '<circle cx="60" cy="60" r="50"/>';
const eyes = (height) => `<ellipse class="dot" cx="42" cy="52" rx="4.5" ry="${height}"/><ellipse class="dot" cx="78" cy="52" rx="4.5" ry="${height}"/>`;

const DRAWN = {
  angry: ['M30 36l20 9M90 36l-20 9M42 84c10-8 26-8 36 0', 4, 'Brows down and together, eyes hard, lips pressed.'],
  disgust: ['M31 42c6-3 12-2 18 2M89 42c-6-3-12-2-18 2M55 64c3-4 7-4 10 0M40 84c8-9 16-2 22-6s10-6 18-1', 3, 'Wrinkle the nose and raise the upper lip.'],
  fear: ['M31 38c6-7 12-8 18-8M89 38c-6-7-12-8-18-8M44 86c8-9 24-9 32 0z', 8, 'Brows up and drawn together, eyes wide, lips stretched.'],
  happy: ['M32 38c6-4 11-4 16-1M88 38c-6-4-11-4-16-1M36 70c10 20 38 20 48 0', 5, 'Corners of the mouth up and back, cheeks raised.'],
  sad: ['M32 42c6-1 12-5 16-9M88 42c-6-1-12-5-16-9M42 86c9-11 27-11 36 0', 4, 'Inner brows up, corners of the mouth down.'],
  surprise: ['M30 34c6-7 13-8 19-4M90 34c-6-7-13-8-19-4M60 70c-8 0-11 6-11 12s4 12 11 12 11-6 11-12-3-12-11-12z', 7, 'Brows high, eyes wide, jaw dropped.'],
  neutral: ['M33 38q8-3 16 0M71 38q8-3 16 0M42 80h36', 5, 'Let go of everything, and look straight ahead.'],
};

const UNKNOWN = ['M42 80h36', 5, ''];

export const hint = (label) => (DRAWN[label] ?? UNKNOWN)[2];

export function faceOf(label) {
  const [lines, eyeHeight] = DRAWN[label] ?? UNKNOWN;
  const template = document.createElement('template');
  template.innerHTML = `<svg viewBox="0 0 120 120" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round">${HEAD}${eyes(eyeHeight)}<path d="${lines}"/></svg>`;
  template.content.querySelectorAll('.dot').forEach((dot) => { dot.setAttribute('fill', 'currentColor'); dot.setAttribute('stroke', 'none'); });
  return template.content.firstChild;
}
