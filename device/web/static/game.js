// The rules of the practice, without any document: results go in, what happened comes out.

export const HOLD = 1; // seconds for which the expression must be held
export const LIMIT = 12; // seconds for each target
const GAP = 0.5; // seconds between two results beyond which nobody knows what was shown in between

export class Game {
  constructor(labels, random = Math.random) {
    this.labels = labels;
    this.random = random;
    this.score = this.streak = this.bestStreak = this.bestHold = 0;
    this.target = null;
  }

  // Choose the next target, never the one before.
  next() {
    const others = this.labels.filter((label) => label !== this.target);
    this.target = others[Math.floor(this.random() * others.length)];
    this.began = this.last = null;
    this.release();
    return this.target;
  }

  release() {
    this.since = null;
    this.sum = this.count = 0;
  }

  // Take the result of one picture: its time in seconds and the face, or null. Returns 'held', 'missed' or ''.
  feed(time, face) {
    this.began ??= time;
    if (this.last !== null && time - this.last > GAP) this.release();
    this.last = time;
    if (face?.label === this.target) {
      this.since ??= time;
      this.sum += face.scores[this.target];
      this.count += 1;
      if (time - this.since >= HOLD) return this.win();
    } else {
      this.release();
    }
    if (time - this.began >= LIMIT) return this.miss();
    return '';
  }

  get held() {
    return this.since === null ? 0 : this.last - this.since;
  }

  get left() {
    return this.began === null ? LIMIT : Math.max(LIMIT - (this.last - this.began), 0);
  }

  // Points are the mean probability of the target while it was held, in percent.
  win() {
    this.points = Math.round((100 * this.sum) / this.count);
    this.score += this.points;
    this.streak += 1;
    this.bestStreak = Math.max(this.bestStreak, this.streak);
    this.bestHold = Math.max(this.bestHold, this.points);
    return 'held';
  }

  miss() {
    this.streak = 0;
    return 'missed';
  }
}
