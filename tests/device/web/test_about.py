import asyncio
import threading

import pytest

from fer_edge.device.web import about
from fer_edge.device.web.about import Examination
from fer_edge.errors import FerEdgeError


@pytest.fixture
def doctor(monkeypatch):
    """Doctor's examination, held up by `gate`; counts how often it was begun and how many were at work at once."""

    class Doctor:
        gate, begun, at_once, most, error = threading.Event(), 0, 0, 0, None

    def examine(checks):
        Doctor.begun += 1
        Doctor.at_once += 1
        Doctor.most = max(Doctor.most, Doctor.at_once)
        assert Doctor.gate.wait(10)
        Doctor.at_once -= 1
        if Doctor.error:
            raise Doctor.error
        return []

    monkeypatch.setattr(about, "examine", examine)
    return Doctor


def test_who_asks_during_an_examination_shares_it(doctor, client, model_path):
    """However many ask, no thread is taken by one who only waits, and nobody queues."""
    examination = Examination(model_path, None)

    async def ask():
        asking = [asyncio.create_task(examination.findings(anew=True)) for _ in range(200)]
        while not doctor.begun:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert threading.active_count() < 30
        doctor.gate.set()
        return await asyncio.gather(*asking)

    found = asyncio.run(ask())
    assert len(found) == 200
    assert (doctor.begun, doctor.most) == (1, 1)


def test_findings_are_kept_until_somebody_wants_new_ones(doctor, model_path):
    doctor.gate.set()
    examination = Examination(model_path, None)

    async def ask():
        for anew in (False, False, True, False):
            await examination.findings(anew=anew)

    asyncio.run(ask())
    assert doctor.begun == 2


def test_one_who_goes_away_ends_it_for_nobody(doctor, model_path):
    examination = Examination(model_path, None)

    async def ask():
        first, second = (asyncio.create_task(examination.findings(anew=True)) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0.05)
        doctor.gate.set()
        return await asyncio.wait_for(second, 10)

    assert asyncio.run(ask())["findings"] == []


def test_after_an_examination_that_failed_the_next_is_tried(doctor, model_path):
    doctor.gate.set()
    examination = Examination(model_path, None)

    async def ask():
        doctor.error = FerEdgeError("no")
        with pytest.raises(FerEdgeError):
            await examination.findings(anew=False)
        doctor.error = None
        return await examination.findings(anew=False)

    assert asyncio.run(ask())["findings"] == []
