"""Usage of made-up jobs, and what a log has of them, in seconds of one day."""

from collections.abc import Iterable

from tallystick.metering.run import UsageLine
from tallystick.usage.standing import ContractDays, LoggedLine, Spell, Standing
from tallystick.vouchers.quantities import SECOND_US, parse_instant

DAY = parse_instant("2026-03-15T00:00:00.000000Z")
PROVIDER = "heron-dc"
CONTRACT = "birch-ai/c-1"
ITEM = "a100-80g"


def us(seconds: int) -> int:
    return DAY + seconds * SECOND_US


def used(
    job: str,
    begin: int,
    end: int,
    *,
    seconds: int | None = None,
    gpus: int = 1,
    item: str = ITEM,
    contract: str = CONTRACT,
    so_far: bool = False,
    holder: str = "birch-ai",
) -> UsageLine:
    """One run's usage, from one second of the day to another."""
    held = end - begin if seconds is None else seconds
    record = f"{job}|{begin}|{end}".encode()
    return UsageLine(contract, item, job, gpus * 1_000, us(begin), us(end), held, 1, holder, so_far, record)


def logged(
    job: str,
    begin: int,
    end: int,
    *,
    seconds: int | None = None,
    gpus: int = 1,
    item: str = ITEM,
    contract: str = CONTRACT,
    place: tuple[str, int] = ("s-1", 0),
    index: int = 100,
    fee_fen: int = 100,
) -> LoggedLine:
    """A line of a statement."""
    held = end - begin if seconds is None else seconds
    statement, number = place
    times = (us(begin), us(end), held)
    return LoggedLine(index, statement, number, contract, item, job, gpus * 1_000, *times, fee_fen, fee_fen // 2, False)


def standing(
    *lines: LoggedLine, reversed_: Iterable[LoggedLine] = (), sealed_until: int = 0, corrected: Iterable[str] = ()
) -> Standing:
    """What a log has, if these lines stand and others were taken back."""
    holders = {"birch-ai/c-1": "birch-ai", "birch-ai/c-2": "birch-ai", "cedar-vision/c-7": "cedar-vision"}
    year = 366 * 86_400
    contracts = {one: ContractDays(holder, PROVIDER, us(-year), us(year)) for one, holder in holders.items()}
    return Standing(
        PROVIDER,
        _by_spell(lines),
        _by_spell(reversed_),
        {(one, 0) for one in corrected},
        {},
        contracts,
        0 if not sealed_until else us(sealed_until),
        8 * 3_600 * SECOND_US,
        us(10 * 86_400),
    )


def _by_spell(lines: Iterable[LoggedLine]) -> dict[Spell, list[LoggedLine]]:
    found: dict[Spell, list[LoggedLine]] = {}
    for line in sorted(lines, key=lambda line: line.starts_at):
        found.setdefault(line.spell, []).append(line)
    return found
