import asyncio
import json
import threading

import cv2
import numpy as np
import pytest

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.outputs.drawing import LONGEST, encode
from fer_edge.device.outputs.summary import Rate
from fer_edge.device.results import FrameResult
from fer_edge.device.web import hub as hub_module
from fer_edge.device.web.hub import VIEWERS, Hub, Kind, Shown, Viewer, to_line
from tests.device.making import face, result

LOOP = {"fps": 15.0, "captured": 3, "dropped": 0}


def pictures(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_a_line_is_that_of_jsonl_and_more():
    line = json.loads(to_line(result(7), LOOP))
    assert line == {"schema": 1, **json.loads(json.dumps(result(7).to_dict())), "size": [64, 48], "loop": LOOP}


def test_nobody_watches_and_nothing_is_done(monkeypatch):
    monkeypatch.setattr(hub_module, "encode", lambda *arguments: pytest.fail("encoded"))
    hub = Hub()
    hub.offer(result(), lambda: pytest.fail("asked for figures"))
    assert hub._slot is None
    assert not any(thread.name == "live page pictures" for thread in threading.enumerate())
    hub.close()


async def offered(hub, viewer, number):
    hub.offer(result(number), lambda: LOOP)
    return await asyncio.wait_for(viewer.next(), 10)


@pytest.mark.parametrize(
    ("kind", "plain", "drawn"), [(Kind.RESULTS, False, False), (Kind.PLAIN, True, False), (Kind.DRAWN, False, True)]
)
def test_only_what_is_watched_is_encoded(kind, plain, drawn):
    async def watch():
        with hub.viewer(kind) as viewer:
            return await offered(hub, viewer, 5)

    hub = Hub()
    shown = asyncio.run(watch())
    hub.close()
    assert shown.frame == json.loads(shown.line)["frame"] == 5
    assert (bool(shown.plain), bool(shown.drawn)) == (plain, drawn)


def test_the_end_reaches_who_waits():
    async def watch():
        with hub.viewer(Kind.PLAIN) as viewer:
            assert (await offered(hub, viewer, 1)).frame == 1
            waiting = asyncio.create_task(viewer.next())
            await asyncio.get_running_loop().run_in_executor(None, hub.close)
            assert await asyncio.wait_for(waiting, 10) is None
        with hub.viewer(Kind.PLAIN) as late:
            assert late is None
        assert not hub.watched

    hub = Hub()
    asyncio.run(watch())


def test_so_many_may_watch():
    async def watch():
        import contextlib

        with contextlib.ExitStack() as stack:
            assert all(stack.enter_context(hub.viewer(Kind.RESULTS)) for _ in range(VIEWERS))
            assert stack.enter_context(hub.viewer(Kind.DRAWN)) is None
        with hub.viewer(Kind.DRAWN) as viewer:
            assert viewer

    hub = Hub()
    asyncio.run(watch())
    hub.close()


def test_a_slow_viewer_gets_the_latest_picture_and_most_results():
    async def offer(kind):
        viewer = Viewer(kind)
        for number in range(100):
            viewer.offer(Shown(number, b""))
        return [(await viewer.next()).frame for _ in range(kind.value[0])], viewer.dropped

    assert asyncio.run(offer(Kind.PLAIN)) == ([99], 99)
    assert asyncio.run(offer(Kind.RESULTS)) == (list(range(36, 100)), 36)


def test_a_loop_that_is_faster_than_the_encoder_is_not_held_up(monkeypatch):
    """While the encoder is stuck, results only replace each other."""
    gate, stuck = threading.Event(), threading.Event()
    original = hub_module.encode

    def slow(*arguments):
        stuck.set()
        assert gate.wait(20)
        return original(*arguments)

    monkeypatch.setattr(hub_module, "encode", slow)

    async def watch():
        with hub.viewer(Kind.PLAIN) as viewer:
            hub.offer(result(0), lambda: LOOP)
            await asyncio.get_running_loop().run_in_executor(None, stuck.wait, 20)
            for number in range(1, 50):
                hub.offer(result(number), lambda: LOOP)  # would hang here
            gate.set()
            frames = []
            while frames[-1:] != [49]:
                frames.append((await asyncio.wait_for(viewer.next(), 20)).frame)
            return frames

    hub = Hub()
    frames = asyncio.run(watch())
    hub.close()
    assert set(frames) <= {0, 49}


def test_a_frame_that_cannot_be_encoded_is_left_out_and_the_next_is_shown(monkeypatch, caplog):
    """For every viewer, however often that happens, with a word about the first one."""
    original, failed, broken = hub_module.encode, threading.Event(), False

    def delicate(*arguments):
        if broken:
            failed.set()
            raise cv2.error("frame\nof nothing")
        return original(*arguments)

    monkeypatch.setattr(hub_module, "encode", delicate)

    async def watch():
        nonlocal broken
        with hub.viewer(Kind.PLAIN) as one, hub.viewer(Kind.DRAWN) as other:
            for number in range(5):
                broken = number in (1, 3)
                hub.offer(result(number), lambda: LOOP)
                if broken:
                    assert await asyncio.get_running_loop().run_in_executor(None, failed.wait, 10)
                    failed.clear()
                else:
                    for viewer in (one, other):
                        assert (await asyncio.wait_for(viewer.next(), 10)).frame == number

    hub = Hub()
    asyncio.run(watch())
    hub.close()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["live page: a picture cannot be shown (error: frame of nothing); left out"]


def test_a_picture_with_its_faces():
    shown, plain = (pictures(encode(result().frame, faces)) for faces in (result().faces, ()))
    assert shown.shape == plain.shape == (48, 64, 3)
    assert np.abs(shown.astype(int) - plain).max() > 60
    assert np.abs(plain.astype(int) - 40).max() < 4


def test_a_large_picture_is_shrunk_with_its_boxes():
    bgr = np.full((1081, 1921, 3), 40, np.uint8)
    large = FrameResult(0, 0.0, (face((1000, 400, 200, 200)),), {"capture": 0, "total": 0}, frame_from_bgr(bgr))
    picture = pictures(encode(large.frame, large.faces))
    assert picture.shape == (540, LONGEST, 3)
    green = (picture[:, :, 1] > 150).nonzero()
    assert green[1].min() == pytest.approx(500, abs=4)
    assert green[0].max() == pytest.approx(300, abs=4)
    assert (picture[-30:] < 60).all()


def test_the_rate():
    times = iter([0.0, 0.1, 0.2, 0.3, 10.0, 10.5])
    rate = Rate(lambda: next(times))
    assert rate.tick() == 0
    assert [rate.tick() for _ in range(3)] == pytest.approx([10, 10, 10])
    rate.tick()
    assert rate.tick() == pytest.approx(2, rel=0.6)  # of the latest two seconds only
