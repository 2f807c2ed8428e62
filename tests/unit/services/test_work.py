"""Background work: rung often, run once, never spinning, ending in order."""

import asyncio

from bot.services.work import Worker


class Counting:
    def __init__(self) -> None:
        self.runs = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def step(self) -> None:
        self.runs += 1
        await self.gate.wait()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_many_rings_make_one_run() -> None:
    counting = Counting()
    worker = Worker("w", counting.step)
    worker.start()
    for _ in range(9):
        worker.ring()
    await turns()
    assert counting.runs == 1
    assert worker.idle
    await turns(200)
    assert counting.runs == 1
    await worker.stop()


async def test_rings_during_a_run_make_one_more() -> None:
    counting = Counting()
    counting.gate.clear()
    worker = Worker("w", counting.step)
    worker.start()
    worker.ring()
    await turns()
    for _ in range(9):
        worker.ring()
    assert not worker.idle
    counting.gate.set()
    await turns()
    assert counting.runs == 2
    await worker.stop()


async def test_two_runs_never_overlap() -> None:
    inside = 0

    async def step() -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        await asyncio.sleep(0.001)
        inside -= 1

    worker = Worker("w", step)
    await asyncio.gather(*(worker.run() for _ in range(9)))


async def test_a_failure_ends_the_run_not_the_worker_and_does_not_spin() -> None:
    runs = 0

    async def step() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("a defect")

    worker = Worker("w", step)
    worker.start()
    worker.ring()
    await turns(200)
    assert runs == 1
    worker.ring()
    await turns()
    assert runs == 2
    await worker.stop()


async def test_something_cancelled_inside_does_not_end_the_worker() -> None:
    runs = 0

    async def step() -> None:
        nonlocal runs
        runs += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    worker = Worker("w", step)
    worker.start()
    for _ in range(2):
        worker.ring()
        await turns()
    assert runs == 2
    await worker.stop()


async def test_a_stop_waits_for_the_run_under_way_and_starts_no_other() -> None:
    counting = Counting()
    counting.gate.clear()
    worker = Worker("w", counting.step)
    worker.start()
    worker.ring()
    await turns()
    worker.ring()
    late = asyncio.create_task(worker.run())  # the schedule's
    stop = asyncio.create_task(worker.stop())
    await turns()
    assert worker.stopping
    assert not stop.done()
    counting.gate.set()
    await asyncio.wait_for(stop, 1)
    await asyncio.wait_for(late, 1)
    await turns()
    assert counting.runs == 1
    await worker.stop()


async def test_what_goes_on_and_on_sees_the_stop() -> None:
    async def step() -> None:
        while not worker.stopping:
            await turns(1)

    worker = Worker("w", step)
    worker.start()
    worker.ring()
    await turns()
    await asyncio.wait_for(worker.stop(), 1)
