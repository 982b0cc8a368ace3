import threading
import time

import pytest

from fer_edge.device.service.worker import Worker


def wait_for_end(worker, seconds=5):
    with worker.condition:
        assert worker.condition.wait_for(lambda: worker.ended, seconds)


def test_work_is_done_in_a_daemon_thread_of_its_name():
    seen = []
    worker = Worker("digging", lambda: seen.append(threading.current_thread()))
    assert not worker.ended
    worker.start()
    wait_for_end(worker)
    (thread,) = seen
    assert (thread.name, thread.daemon) == ("digging", True)
    assert (worker.error, worker.restarts) == (None, 0)
    worker.check()
    assert worker.stop(5)


def test_an_error_is_raised_where_the_owner_asks():
    worker = Worker("digging", lambda: [][0])
    worker.start()
    wait_for_end(worker)
    for _ in range(2):
        with pytest.raises(IndexError):
            worker.check()


def test_who_is_told_of_an_error_may_ask_for_another_try():
    told, tries = [], iter([ValueError("one"), ValueError("two"), None, None])

    def work():
        if error := next(tries):
            raise error

    worker = Worker("digging", work, lambda error: told.append(str(error)) or True)
    worker.start()
    wait_for_end(worker)
    assert (told, worker.restarts, worker.error) == (["one", "two"], 2, None)


def test_an_error_of_who_is_told_reaches_the_owner():
    def refuse(error):
        raise RuntimeError("told, and failed too")

    worker = Worker("digging", lambda: [][0], refuse)
    worker.start()
    wait_for_end(worker)
    with pytest.raises(RuntimeError, match="failed too"):
        worker.check()


def test_what_is_no_ordinary_error_is_tried_no_more():
    def leave():
        raise SystemExit(3)

    worker = Worker("digging", leave, lambda error: True)
    worker.start()
    wait_for_end(worker)
    with pytest.raises(SystemExit):
        worker.check()
    assert worker.restarts == 0


def test_stop_wakes_who_waits():
    def work():
        with worker.condition:
            worker.condition.wait_for(worker.stopping.is_set)

    worker = Worker("digging", work)
    worker.start()
    assert worker.stop(5)
    assert worker.ended


def test_a_thread_that_hangs_is_waited_for_only_so_long():
    awake = threading.Event()
    worker = Worker("digging", lambda: awake.wait(20))
    worker.start()
    since = time.monotonic()
    assert not worker.stop(0.1)
    assert time.monotonic() - since < 2
    awake.set()


def test_what_never_began_is_stopped_at_once():
    assert Worker("digging", lambda: None).stop(0)


@pytest.mark.parametrize("error", [None, ValueError("too late")])
def test_a_thread_that_was_left_behind_changes_nothing(error):
    """Neither its error nor its end is the owner's: the thread in its place is at work."""
    awake, second, current, told = threading.Event(), threading.Event(), [], []
    threads = []

    def work():
        threads.append(threading.current_thread())
        if len(threads) > 1:
            assert second.wait(20)
        else:
            assert awake.wait(20)
            current.append(worker.is_current())
            if error:
                raise error

    worker = Worker("digging", work, lambda error: told.append(error) or True)
    worker.start()
    while not threads:
        time.sleep(0.001)
    worker.restart()
    awake.set()
    threads[0].join(5)
    assert (worker.ended, worker.error, worker.restarts) == (False, None, 1)
    assert (current, told) == ([False], [])
    second.set()
    wait_for_end(worker)
    worker.check()


def test_nobody_is_current_after_the_end_was_asked_for():
    answers, asked, stopped = [], threading.Event(), threading.Event()

    def work():
        answers.append(worker.is_current())
        asked.set()
        assert stopped.wait(5)
        answers.append(worker.is_current())

    worker = Worker("digging", work)
    worker.start()
    assert asked.wait(5)
    worker.stop(0)
    stopped.set()
    assert worker.stop(5)
    assert answers == [True, False]
    assert not worker.is_current()  # the owner's thread
