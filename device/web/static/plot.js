// Lines of probabilities over the latest minute, on a canvas of any size.

import { toneValue } from './page.js';

const SPAN = 60; // seconds
const BREAK = 1; // seconds without a result where a line is interrupted
const SAMPLE = 34; // pixels of line in the legend: two periods of most dashes
const DASHES = [[], [7, 4], [2, 4], [14, 4], [10, 3, 2, 3], [4, 3], [10, 3, 2, 3, 2, 3], [16, 3, 4, 3]];

// The dashes of a class's line, so that colour is not all that tells it from others.
export function dashesOf(index) {
  return DASHES[index % DASHES.length];
}

export function plot(context, width, height, rows, labels, { title = '' } = {}) {
  const style = getComputedStyle(document.documentElement);
  const [ink, line, card] = ['--soft', '--line', '--card'].map((name) => style.getPropertyValue(name).trim());
  const font = `12px ${style.fontFamily}`;
  const box = { left: 52, top: title ? 66 : 10, right: width - 14, bottom: height - 26 };
  context.fillStyle = card;
  context.fillRect(0, 0, width, height);
  const end = rows.length ? Math.max(rows.at(-1).time, (rows[0].time ?? 0) + SPAN) : SPAN;
  const x = (time) => box.right - ((end - time) / SPAN) * (box.right - box.left);
  const y = (share) => box.bottom - share * (box.bottom - box.top);
  axes(context, box, x, y, end, { ink, line, font });
  const first = rows.findIndex((row) => row.time >= end - SPAN);
  const seen = first < 0 ? [] : rows.slice(first);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top - 3, box.right - box.left + 3, box.bottom - box.top + 6);
  context.clip();
  labels.forEach((label, index) => {
    context.strokeStyle = toneValue(label);
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.setLineDash(dashesOf(index));
    context.beginPath();
    seen.forEach((row, at) => {
      const broken = at === 0 || row.time - seen[at - 1].time > BREAK;
      context[broken ? 'moveTo' : 'lineTo'](x(row.time), y(row.scores[index]));
    });
    context.stroke();
  });
  context.restore();
  if (title) legend(context, labels, title, style);
}

function axes(context, box, x, y, end, { ink, line, font }) {
  context.font = font;
  context.textBaseline = 'middle';
  context.setLineDash([]);
  context.lineWidth = 1;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(box.left, y(share));
    context.lineTo(box.right, y(share));
    context.stroke();
    context.fillStyle = ink;
    context.textAlign = 'right';
    context.fillText(`${100 * share} %`, box.left - 8, y(share));
  }
  context.textAlign = 'center';
  for (let time = Math.ceil((end - SPAN) / 10) * 10; time <= end; time += 10) {
    if (x(time) > box.left + 8 && x(time) < box.right - 8) context.fillText(`${time} s`, x(time), box.bottom + 15);
  }
}

function legend(context, labels, title, style) {
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = style.getPropertyValue('--ink').trim();
  context.font = `600 16px ${style.fontFamily}`;
  context.fillText(title, 16, 22);
  context.font = `13px ${style.fontFamily}`;
  let left = 16;
  labels.forEach((label, index) => {
    context.strokeStyle = toneValue(label);
    context.lineWidth = 3;
    context.setLineDash(dashesOf(index));
    context.beginPath();
    context.moveTo(left, 46);
    context.lineTo(left + SAMPLE, 46);
    context.stroke();
    context.fillText(label, left + SAMPLE + 7, 46);
    left += SAMPLE + 7 + context.measureText(label).width + 22;
  });
  context.setLineDash([]);
}
