"""A worker that an event loop waits for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from fer_edge.device.service.worker import Worker

Result = TypeVar("Result")


async def in_worker(name: str, work: Callable[[], Result]) -> Result:
    """Run `work` in a worker and wait for it in an event loop, whose end does not wait.

    The threads of an executor are waited for when the process ends, however long what they do takes.

    Args:
        name: of the thread.
        work: what to do; what it returns or raises is returned or raised here.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | Exception) -> None:
        if done.done():  # who waited was cancelled
            return
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

    def run() -> None:
        result: Result | Exception
        try:
            result = work()
        except Exception as error:
            result = error
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(settle, result)

    Worker(name, run).start()
    return await done
