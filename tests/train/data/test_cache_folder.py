"""A user without a home folder has no cache, and nothing fails for that."""

import stat

import numpy as np
import pytest

from fer_edge.train.data import cache
from fer_edge.train.data.dataset import TRAINING, Split


@pytest.fixture
def homeless(monkeypatch):
    """As in a container that runs as a number: no HOME, and no line in /etc/passwd."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    import pwd

    def nobody(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)


def split():
    return Split(np.zeros((2, 4, 4), np.uint8), np.array([0, 1]), np.array([1, 2]))


def test_data_are_read_each_time(homeless, caplog):
    cache.store("key", {TRAINING: split()})
    assert "no home folder; set XDG_CACHE_HOME" in caplog.text
    assert cache.load("key") is None


def test_a_named_cache_is_used(homeless, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.store("key", {TRAINING: split()})
    assert list(cache.load("key")) == [TRAINING]
    assert stat.S_IMODE((tmp_path / "fer-edge").stat().st_mode) == 0o700


def test_a_page_says_where_its_token_can_come_from(homeless):
    from fer_edge.device.web.token import kept_token
    from fer_edge.errors import OutputError

    with pytest.raises(OutputError, match="no home folder to keep a token in; give one in FER_EDGE_TOKEN"):
        kept_token()
