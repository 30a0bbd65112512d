"""What somebody with an export's folder can put in the place of a saved state, or beside one."""

import dataclasses
from pathlib import Path
from typing import Any

from tallystick.vouchers.saved_state import StateHeader, split_saved
from tallystick.vouchers.state import State


def read_state(file: Path) -> tuple[StateHeader, bytes]:
    """The header in a file, and the state's bytes."""
    data = file.read_bytes()
    text, start = split_saved(data)
    return StateHeader.from_text(text), data[start:]


def write_state(file: Path, header: StateHeader, data: bytes) -> None:
    """Write a file of this header and these bytes, whether or not they belong together."""
    file.write_bytes(header.to_text() + b"\n" + data)


def plant(file: Path, state: State, root: bytes) -> None:
    """Put a state in the place of another, under a header that is right about it."""
    data = state.to_bytes()
    write_state(file, StateHeader.of(state, root, data), data)


def move_a_fen(file: Path) -> None:
    """Move one fen from what one voucher has available to another's, and make the header right again."""
    header, data = read_state(file)
    state = State.from_bytes(data)
    available = state.book.balances["available"]
    first, second, *_ = available
    available[first] -= 1
    available[second] += 1
    plant(file, state, header.root)


def change_header(file: Path, **values: Any) -> None:
    """Have a state's header say something else."""
    header, data = read_state(file)
    write_state(file, dataclasses.replace(header, **values), data)
