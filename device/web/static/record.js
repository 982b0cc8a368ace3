// The recording of one person: rows, shares, and CSV, without any document.

export const LONGEST = 36000; // rows: twenty minutes at thirty a second

export class Recording {
  constructor(labels) {
    this.labels = labels;
    this.clear();
  }

  clear() {
    this.rows = [];
    this.left = 0;
  }

  add(line, face) {
    const scores = this.labels.map((label) => face.scores[label] ?? 0);
    this.rows.push({ frame: line.frame, time: line.time, person: face.id, label: face.label, score: face.score, scores });
    if (this.rows.length > LONGEST + 1000) {
      this.rows.splice(0, 1000);
      this.left += 1000;
    }
  }

  // For each label: the share of pictures that showed it, its latest and its mean probability.
  summary() {
    const counts = this.labels.map(() => 0);
    const sums = this.labels.map(() => 0);
    for (const row of this.rows) {
      counts[this.labels.indexOf(row.label)] += 1;
      row.scores.forEach((score, index) => { sums[index] += score; });
    }
    const total = this.rows.length || 1;
    const latest = this.rows.at(-1)?.scores;
    return this.labels.map((label, index) => ({
      label, share: counts[index] / total, now: latest?.[index] ?? 0, mean: sums[index] / total,
    }));
  }

  // RFC 4180, with a head.
  toCsv() {
    const cell = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
    const head = ['frame', 'time', 'person', 'label', 'score', ...this.labels];
    const lines = this.rows.map((row) => [row.frame, row.time, row.person, row.label, row.score, ...row.scores]);
    return [head, ...lines].map((cells) => cells.map(cell).join(',')).join('\r\n') + '\r\n';
  }
}
