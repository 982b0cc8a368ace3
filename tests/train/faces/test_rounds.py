"""The rounds of a training: what is collected between two, and what a kill in between leaves."""

import pytest

from fer_edge.errors import DataError
from fer_edge.train.faces import pair
from fer_edge.train.faces.mining import load_mistakes, mistakes_step, save_mistakes
from fer_edge.train.faces.scenes import Mistake


def test_rounds_cover_the_schedule():
    assert pair.rounds(100, (0.15, 0.4)) == [(0, 15), (15, 40), (40, 100)]
    assert pair.rounds(1, (0.15, 0.4)) == [(0, 0), (0, 0), (0, 1)]


def test_mistakes_are_kept_with_their_step(tmp_path):
    path = tmp_path / "mistakes.json"
    assert load_mistakes(path) == []
    assert mistakes_step(path) == -1
    save_mistakes([Mistake(3, (1.0, 2.5, 9.0))], path, 40)
    assert load_mistakes(path) == [Mistake(3, (1.0, 2.5, 9.0))]
    assert mistakes_step(path) == 40


def test_a_run_killed_while_it_collects_mistakes_collects_them_again(face_data, tmp_path, monkeypatch):
    monkeypatch.setattr(pair, "PROPOSER_ROUNDS", (0.5,))
    monkeypatch.setattr(pair, "STATISTICS_BATCHES", 1)
    mine = pair.mine

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pair, "mine", killed)
    with pytest.raises(KeyboardInterrupt):
        pair.train_proposer(face_data, tmp_path, steps=2)
    assert mistakes_step(tmp_path / pair.MISTAKES) == -1
    monkeypatch.setattr(pair, "mine", mine)
    pair.train_proposer(face_data, tmp_path, steps=2)
    assert mistakes_step(tmp_path / pair.MISTAKES) == 1


@pytest.mark.parametrize(
    "content", ["", "[]", "[[3, 1, 2, 9]]", '{"step": 4}', '{"step": 4, "mistakes": [[1]]}', "\xff"]
)
def test_damaged_mistakes_end_in_one_line(content, tmp_path):
    path = tmp_path / "mistakes.json"
    path.write_text(content, encoding="latin-1")
    for read in (load_mistakes, mistakes_step):
        with pytest.raises(DataError, match="train into a new folder"):
            read(path)
