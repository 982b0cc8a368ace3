"""What follows from the epochs so far: which is kept, and when to stop."""

from fer_edge.train.loop.history import Epoch, best_epoch, stops_early


def epochs(*accuracies):
    return [Epoch(i + 1, 1.0, 0.5, a, 1.0, 0.1, 1.0) for i, a in enumerate(accuracies)]


def test_the_best_epoch_is_the_later_of_equals_and_the_last_without_a_holdout():
    assert best_epoch(epochs(0.1, 0.4, 0.4, 0.3)).epoch == 3
    assert best_epoch(epochs(None, None)).epoch == 2


def test_early_stopping_waits_for_its_patience():
    assert not stops_early(epochs(0.5, 0.4, 0.4), 3)
    assert stops_early(epochs(0.5, 0.4, 0.4, 0.4), 3)
    assert not stops_early(epochs(0.5, 0.4, 0.4, 0.4), 0)
    assert stops_early(epochs(0.5, 1.0, 1.0, 1.0), 2)  # as good again is no better
