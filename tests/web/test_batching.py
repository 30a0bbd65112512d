"""Notes of many requests become groups, in order, bounded, and none is lost when a request goes away."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tallystick.errors import RequestRefusedError, StoreFailedError
from tallystick.ledger.pending import NoteAnswer
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.web import batching
from tallystick.web.batching import Batcher


class Deciding:
    """Decides groups when it is let: a note's answer is a refusal that says it."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.may_go_on = threading.Event()
        self.error: Exception | None = None

    def __call__(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        self.groups.append(list(notes))
        assert self.may_go_on.wait(30)
        if self.error is not None:
            raise self.error
        return [Refusal(Reason.NOTE_MALFORMED, note.decode()) for note in notes]


def said(answers: list[NoteAnswer]) -> list[str]:
    return [answer.detail for answer in answers if isinstance(answer, Refusal)]


async def turns(count: int = 5) -> None:
    """Let the event loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_comes_while_groups_are_under_way_goes_into_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "SECOND_GROUP_NOTES_MIN", 1)

    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            asked = [asyncio.create_task(batcher.submit([b"%d" % place])) for place in range(3)]
            await turns()
            assert deciding.groups == [[b"0", b"1", b"2"]]  # of one turn of the loop
            asked.append(asyncio.create_task(batcher.submit([b"3"])))
            await turns()
            assert deciding.groups[1:] == [[b"3"]]
            asked += [asyncio.create_task(batcher.submit([b"%d" % place, b"x"])) for place in range(4, 8)]
            await turns()
            assert len(deciding.groups) == 2  # no more than two are under way
            assert batcher.notes_under_way == 12
            deciding.may_go_on.set()
            answers = [said(await one) for one in asked]
            assert answers == [["0"], ["1"], ["2"], ["3"], *[[str(place), "x"] for place in range(4, 8)]]
            assert deciding.groups[2:] == [[b"4", b"x", b"5", b"x", b"6", b"x", b"7", b"x"]]
            await batcher.wait_idle()
            assert (batcher.notes_under_way, batcher.bytes_under_way) == (0, 0)

    asyncio.run(run())


def test_a_second_group_is_worth_a_transaction() -> None:
    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            enough = batching.SECOND_GROUP_NOTES_MIN
            asked = [asyncio.create_task(batcher.submit([b"first"]))]
            await turns()
            asked += [asyncio.create_task(batcher.submit([b"x"] * 2)) for _ in range(enough // 2 - 1)]
            await turns()
            assert [len(group) for group in deciding.groups] == [1]  # what waits is too little
            asked.append(asyncio.create_task(batcher.submit([b"x"] * 2)))
            await turns()
            assert [len(group) for group in deciding.groups] == [1, enough]
            asked.append(asyncio.create_task(batcher.submit([b"last"])))
            await turns()
            deciding.may_go_on.set()
            await asyncio.gather(*asked)
            assert [len(group) for group in deciding.groups] == [1, enough, 1]  # nothing waits for more to come

    asyncio.run(run())


def test_a_group_has_a_measure_and_the_notes_of_a_request_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "GROUP_NOTES_MAX", 4)
    monkeypatch.setattr(batching, "GROUP_BYTES_MAX", 100)

    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            requests = [[b"a"] * 3, [b"b"] * 2, [b"c" * 60], [b"d" * 60], [b"e"]]
            asked = [asyncio.create_task(batcher.submit(notes)) for notes in requests]
            await turns()
            deciding.may_go_on.set()
            assert [len(await one) for one in asked] == [3, 2, 1, 1, 1]
            assert [len(group) for group in deciding.groups] == [3, 3, 2]

    asyncio.run(run())


def test_beyond_what_is_taken_at_once_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "NOTES_UNDER_WAY_MAX", 4)
    monkeypatch.setattr(batching, "BYTES_UNDER_WAY_MAX", 100)

    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            taken = asyncio.create_task(batcher.submit([b"a"] * 3))
            await turns()
            for notes in ([b"b"] * 2, [b"b" * 98]):
                with pytest.raises(RequestRefusedError) as refused:
                    await batcher.submit(notes)
                assert refused.value.reason == "service_busy"
            deciding.may_go_on.set()
            await taken
            assert len(await batcher.submit([b"b"] * 4)) == 4  # there is room again

    asyncio.run(run())


def test_an_error_is_every_requests_of_its_group_and_of_no_other() -> None:
    async def run() -> None:
        deciding = Deciding()
        deciding.error = StoreFailedError("the disk is gone")
        deciding.may_go_on.set()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            asked = [asyncio.create_task(batcher.submit([b"a"])) for _ in range(2)]
            for one in asked:
                with pytest.raises(StoreFailedError, match="the disk is gone"):
                    await one
            deciding.error = None
            assert said(await batcher.submit([b"b"])) == ["b"]

    asyncio.run(run())


def test_a_request_that_goes_away_takes_nobody_with_it() -> None:
    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            gone, stays = [asyncio.create_task(batcher.submit([name])) for name in (b"gone", b"stays")]
            await turns()
            gone.cancel()
            await turns()
            deciding.may_go_on.set()
            assert said(await stays) == ["stays"]
            await batcher.wait_idle()
            assert deciding.groups == [[b"gone", b"stays"]]  # it was taken, so it is decided
            assert batcher.notes_under_way == 0

    asyncio.run(run())


def test_a_drain_takes_no_more_and_waits_for_what_is_under_way() -> None:
    async def run() -> None:
        deciding = Deciding()
        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher(deciding, executor)
            asked = [asyncio.create_task(batcher.submit([b"a"]))]
            await turns()
            asked.append(asyncio.create_task(batcher.submit([b"b"])))
            await turns()
            batcher.drain()
            with pytest.raises(RequestRefusedError) as refused:
                await batcher.submit([b"c"])
            assert (refused.value.reason, refused.value.headers) == ("draining", {"Connection": "close"})
            waiting = asyncio.create_task(batcher.wait_idle())
            await turns()
            assert not waiting.done()
            deciding.may_go_on.set()
            await waiting
            assert all(one.done() for one in asked)

    asyncio.run(run())
