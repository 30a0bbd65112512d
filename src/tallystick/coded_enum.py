"""A closed list is an enum: each member is its code, and knows what the code means in a sentence.

The codes stand in entries, reports, answers, tests and docs; nothing else names the same fact. A code that is not on
the list raises `MalformedError` everywhere.
"""

from enum import StrEnum
from typing import Self

from tallystick.errors import MalformedError


class CodedEnum(StrEnum):
    """A closed list of codes. A member is written as `NAME = ("code", "meaning")`.

    A list whose members know more declares an `__init__` that takes the members' further values.
    """

    meaning: str

    def __new__(cls, code: str, *_others: object) -> Self:
        """Make a member that is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        return member

    def __init__(self, _code: str, meaning: str) -> None:
        self.meaning = meaning

    @classmethod
    def from_code(cls, code: str) -> Self:
        """Return the member of this code.

        Raises:
            MalformedError: there is none.
        """
        member = cls._value2member_map_.get(code)
        if not isinstance(member, cls):
            raise MalformedError(f"{code[:80]!a} is none of the codes in {cls.__name__}")
        return member
