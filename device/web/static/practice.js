// Practice: show the expression that is asked for, and hold it.

import { faceOf, hint } from './faces.js';
import { openFeed } from './feed.js';
import { Game, HOLD } from './game.js';
import { drawFaces } from './overlay.js';
import { byId, percent, perRefresh, say, settings, tone } from './page.js';

const STORE = 'fer-edge practice';
const game = new Game(settings.labels);
const best = JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
Object.assign(game, { bestStreak: best.streak ?? 0, bestHold: best.hold ?? 0 });
let playing = false;

const largest = (faces) => faces.reduce((a, b) => (a && a.box[2] >= b.box[2] ? a : b), null);

function showTarget() {
  game.next();
  byId('target').textContent = game.target;
  byId('hint').textContent = hint(game.target);
  byId('face').replaceChildren(faceOf(game.target));
  byId('playing').style.setProperty('--tone', tone(game.target));
}

function showScore() {
  byId('score').textContent = game.score;
  byId('streak').textContent = game.streak;
  byId('best-streak').textContent = game.bestStreak;
  byId('best-hold').textContent = game.bestHold;
  sessionStorage.setItem(STORE, JSON.stringify({ streak: game.bestStreak, hold: game.bestHold }));
}

const showReading = perRefresh((face) => {
  const share = face?.scores[game.target] ?? 0;
  byId('shown').textContent = face?.label ?? 'no face';
  byId('percent').textContent = percent(share);
  byId('level').style.transform = `scaleX(${share})`;
  byId('hold').style.transform = `scaleX(${Math.min(game.held / HOLD, 1)})`;
  byId('held').textContent = Math.min(game.held, HOLD).toFixed(1);
  byId('left').textContent = Math.ceil(game.left);
});

function play(on) {
  playing = on;
  byId('playing').hidden = !on;
  byId('idle').hidden = on;
  if (!on) return byId('start').focus();
  Object.assign(game, { score: 0, streak: 0 });
  say(byId('outcome'), '');
  showScore();
  showTarget();
  byId('skip').focus();
}

byId('sample').replaceChildren(faceOf('happy'));
byId('start').addEventListener('click', () => play(true));
byId('stop').addEventListener('click', () => play(false));
byId('skip').addEventListener('click', () => { game.miss(); showScore(); showTarget(); say(byId('outcome'), ''); });
showScore();

openFeed({
  onReady: () => { byId('start').disabled = false; },
  onResult(line, picture) {
    drawFaces(byId('picture'), picture, line, { mirrored: true });
    if (!playing) return;
    const face = largest(line.faces);
    const asked = game.target;
    const outcome = game.feed(line.time, face);
    showReading(face);
    if (!outcome) return;
    if (outcome === 'held') say(byId('outcome'), `${asked}: ${game.points} points`, 'good');
    else say(byId('outcome'), `${asked}: time is up`);
    showScore();
    showTarget();
  },
});
