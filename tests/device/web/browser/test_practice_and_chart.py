"""Practice and Chart in a real Chromium, driven by its fake camera."""

import csv
import io
import itertools

import cv2
import pytest

from tests.device.web.browser.browsing import DESKTOP, opened, settle, until, use_camera

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


OBSERVE = """() => {
  window.targets = [];
  const target = document.querySelector('#target');
  const text = (id) => document.querySelector(id).textContent;
  const frame = () => Number(document.querySelector('#picture').dataset.frame);
  const note = () => window.targets.push([target.textContent, frame(), text('#score'), text('#outcome')]);
  new MutationObserver(note).observe(target, {childList: true, characterData: true, subtree: true});
}"""


def points(lines, target):
    """Play the rules again: return frame and points of the first hold of a second."""
    since = previous = None
    scores = []
    for line in lines:
        face = max(line["faces"], key=lambda face: face["box"][2], default=None)
        if previous is not None and line["time"] - previous > 0.5:
            since, scores = None, []
        previous = line["time"]
        if face and face["label"] == target:
            since = line["time"] if since is None else since
            scores.append(face["scores"][target])
            if line["time"] - since >= 1:
                return line["frame"], int(100 * sum(scores) / len(scores) + 0.5)
        else:
            since, scores = None, []
    return None


def test_practice_scores_what_the_event_stream_says(browser, bare):
    with opened(browser, bare, "practice", viewport=DESKTOP) as watched:
        page = watched.page
        use_camera(page)
        settle(page, "practice")
        page.evaluate(OBSERVE)
        page.click("#start")
        asked = [page.text_content("#target")]
        while asked[-1] != "happy":
            page.click("#skip")
            asked.append(page.text_content("#target"))
        until(page, "document.querySelector('#outcome').textContent.includes('points')")
        changes = page.evaluate("window.targets")
        assert all(one != other for one, other in itertools.pairwise(asked))
        (index,) = [i for i, change in enumerate(changes) if change[0] == "happy"][-1:]
        begun, (following, ended, score, outcome) = changes[index][1], changes[index + 1]
        assert following != "happy"
        replayed = points([line for line in watched.received if line["frame"] > begun], "happy")
        assert replayed == (ended, int(score))
        assert outcome == f"happy: {score} points"
        assert page.text_content("#streak") == page.text_content("#best-streak") == "1"
        assert page.text_content("#best-hold") == score
        page.click("#skip")
        assert page.text_content("#streak") == "0"
        assert page.text_content("#score") == score


def test_the_rules_of_the_practice(browser, bare):
    """The rules alone, with results made by hand."""
    script = """async () => {
      const {Game, HOLD, LIMIT} = await import('/static/game.js');
      const game = new Game(['a', 'b', 'c']);
      const asked = []; for (let i = 0; i < 200; i++) asked.push(game.next());
      const show = (label, score) => ({label, scores: {a: 0, b: 0, c: 0, [label]: score}});
      game.next(); const target = game.target; const other = target === 'a' ? 'b' : 'a';
      const log = [];
      const feed = (time, label, score = 0.8) => log.push(game.feed(time, label && show(label, score)));
      feed(0, target); feed(0.4, target); feed(0.8, other); feed(0.9, target); feed(1.3, target); feed(1.7, target);
      const early = game.held;
      feed(2.3, target); const gap = game.held; feed(2.7, target); feed(3.1, target, 0.6); feed(3.35, target, 0.6);
      const won = [log.at(-1), game.points, game.score, game.streak];
      game.next(); feed(4, null); feed(4 + LIMIT - 0.01, null); feed(4 + LIMIT, null);
      return {asked, log, early, gap, won, missed: log.at(-1), streak: game.streak, best: game.bestStreak};
    }"""
    with opened(browser, bare, "practice") as watched:
        told = watched.page.evaluate(script)
    assert set(told["asked"]) == {"a", "b", "c"}
    assert all(one != other for one, other in itertools.pairwise(told["asked"]))
    assert told["early"] == pytest.approx(0.8)
    assert told["gap"] == 0
    assert told["won"] == ["held", 70, 70, 1]
    assert (told["missed"], told["streak"], told["best"]) == ("missed", 0, 1)
    assert told["log"].count("held") == told["log"].count("missed") == 1


def test_chart_exports_what_the_event_stream_says(browser, bare):
    with opened(browser, bare, "chart", viewport=DESKTOP) as watched:
        page = watched.page
        use_camera(page)
        settle(page, "chart")
        page.wait_for_timeout(3000)
        page.click("#pause")
        with page.expect_download() as csv_file:
            page.click("#csv")
        with page.expect_download() as png_file:
            page.click("#png")
        table = list(csv.DictReader(io.StringIO(csv_file.value.path().read_text(encoding="utf-8"))))
        received = {line["frame"]: line for line in watched.received if line["faces"]}
        frames = [int(row["frame"]) for row in table]
        assert frames == [frame for frame in received if frame <= frames[-1]]
        for row in table:
            face = max(received[int(row["frame"])]["faces"], key=lambda face: face["box"][2])
            assert (int(row["person"]), row["label"], float(row["score"])) == (face["id"], face["label"], face["score"])
            assert {name: float(row[name]) for name in face["scores"]} == face["scores"]
            assert float(row["time"]) == received[int(row["frame"])]["time"]
        happy = sum(row["label"] == "happy" for row in table) / len(table)
        cells = "rows => rows.map((row) => [row.cells[0].textContent, row.cells[1].textContent])"
        shares = dict(page.eval_on_selector_all("#rows tr", cells))
        assert shares["happy"] == f"{int(100 * happy + 0.5)} %"
        assert f"{len(table)} results" in page.text_content("#recorded").replace(",", "")
        picture = cv2.imread(str(png_file.value.path()))
        assert picture.shape == (1040, 2400, 3)
        assert picture.std() > 5
        page.wait_for_timeout(500)
        with page.expect_download() as again:
            page.click("#csv")
        assert len(again.value.path().read_text(encoding="utf-8").splitlines()) == len(table) + 1  # it paused


STROKES = """() => [...document.querySelectorAll('#legend li')].map((item) => {
  const line = item.querySelector('line');
  return [item.textContent, line.getAttribute('stroke-dasharray'), getComputedStyle(line).stroke];
})"""

DRAWN = """async () => {
  const {plot} = await import('/static/plot.js');
  const canvas = new OffscreenCanvas(600, 200);
  const context = canvas.getContext('2d');
  const dashes = [], xs = [];
  const recorder = new Proxy(context, {
    get(target, name) {
      if (name === 'setLineDash') return (dash) => { dashes.push(dash.join(' ')); target.setLineDash(dash); };
      if (name === 'moveTo' || name === 'lineTo') return (x, y) => { xs.push(x); target[name](x, y); };
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, name, value) { target[name] = value; return true; },
  });
  const labels = [...document.querySelectorAll('#legend li')].map((item) => item.textContent);
  const row = (time) => ({time, scores: labels.map(() => 0.5)});
  plot(recorder, 600, 200, [row(100), row(100.5), row(101)], labels);
  const lines = dashes.slice(-labels.length);
  return {lines, first: xs.at(-3), last: xs.at(-1), left: xs[0]};
}"""


def test_the_charts_legend_shows_its_dashes_and_the_plot_fills_from_the_left(browser, bare):
    with opened(browser, bare, "chart", viewport=DESKTOP) as watched:
        watched.page.wait_for_selector("#legend li")
        shown = watched.page.evaluate(STROKES)
        drawn = watched.page.evaluate(DRAWN)
    dashes = [dash for _, dash, _ in shown]
    assert dashes == drawn["lines"]
    assert len(set(dashes)) == len({colour for *_, colour in shown}) == len(shown) >= 7
    assert drawn["first"] == pytest.approx(drawn["left"])
    assert drawn["left"] < drawn["last"] < drawn["left"] + 600 / 30


def test_chart_of_the_servers_own_camera(browser, loop):
    with opened(browser, loop.port, "chart") as watched:
        settle(watched.page, "chart")
        with watched.page.expect_download() as file:
            watched.page.click("#csv")
        rows = list(csv.DictReader(io.StringIO(file.value.path().read_text(encoding="utf-8"))))
        assert rows
        for row in rows:
            face = max(loop.lines[int(row["frame"])]["faces"], key=lambda face: face["box"][2])
            assert {name: float(row[name]) for name in face["scores"]} == face["scores"]
