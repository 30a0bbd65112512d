"""A submitter makes notes, sends them when it likes, in any order and more than once, and keeps on until answered."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simulation.chance import MINUTE
from simulation.nodes import Node
from simulation.notes import Made
from tallystick.errors import TallystickError
from tallystick.transparency.receipt import Receipt

if TYPE_CHECKING:
    from simulation.world import World

NOTES_A_BATCH = 5


class Client:
    """One of several submitters."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.unanswered: list[Made] = []
        self.answered: list[Made] = []
        self._world = world
        self._skew = world.temper.between(-4, 4) * MINUTE

    def tick(self) -> None:
        """Make some notes; send some of what has no answer yet, and now and then what has."""
        temper = self._world.temper
        fresh = self._make(temper.between(0, 3))
        again = temper.chance.sample(self.unanswered, min(len(self.unanswered), temper.between(0, 3)))
        batch = [*again, *(made for made in fresh if not temper.one_in(8))]  # what is left out comes later
        self.unanswered += [made for made in fresh if made not in self.unanswered]
        if self.answered and temper.one_in(3):
            batch.append(temper.chance.choice(self.answered))
        if batch and temper.one_in(5):
            batch.append(temper.chance.choice(batch))
        if temper.one_in(3):
            temper.chance.shuffle(batch)
        if batch:
            self.send(batch)
        if temper.one_in(3):
            self.ask_for_receipt()

    def bring(self, node: Node, make: Callable[[int], list[Made]]) -> None:
        """Make a note of some kind, and bring it to a certain writer and no other."""
        made = make(self._world.now + self._skew)
        self._world.judge.know(made)
        self.unanswered += made
        self.send(made, node)

    def _make(self, number: int) -> list[Made]:
        made = []
        for _ in range(number):
            made += self._world.maker.make(self._world.now + self._skew)
            self._world.judge.know(made)
        return made

    def ask_for_receipt(self, node: Node | None = None) -> None:
        """Ask any writer, fenced or not, for another receipt of an entry that has one."""
        nodes = [one for one in self._world.nodes if one.can_submit() and node in (None, one)]
        given_receipts = self._world.watch.given_receipts
        if nodes and given_receipts:
            given = self._world.temper.chance.choice(given_receipts[-20:])
            index = Receipt.from_bytes(given.data).index
            self._world.temper.chance.choice(nodes).take_receipt_of(index, given.entry)

    def send(self, batch: Sequence[Made], node: Node | None = None) -> None:
        """Send a batch to one who may be the writer, along with what another submitter has waiting there."""
        temper = self._world.temper
        nodes = [one for one in self._world.nodes if one.can_submit()]
        if node is None and nodes:
            node = temper.chance.choice(nodes)
        if node is None or not node.can_submit():
            return
        others = [client for client in self._world.clients if client is not self and client.unanswered]
        other = temper.chance.choice(others) if others and temper.one_in(4) else None
        along = temper.chance.sample(other.unanswered, min(2, len(other.unanswered))) if other else []
        self._world.tell(f"{self.name}: sends {len(batch)} notes to {node.name}" + (", 2 wait there" if along else ""))
        try:
            pairs = node.submit(batch, along)
        except TallystickError as error:
            self._world.tell(f"{self.name}: no answer: {type(error).__name__}: {error}")
            return
        if temper.hits("crash before the answer"):
            node.end("before the answer")
            return
        node.take_receipts(pairs)
        for client, notes in ((self, batch), (other, along)):
            if client is not None and notes:
                client.hear(notes)

    def hear(self, notes: Sequence[Made]) -> None:
        """Take answers, unless they are lost on the way."""
        if self._world.temper.hits("lost answer"):
            self._world.tell(f"{self.name}: the answers are lost")
            return
        told = set(map(id, notes))
        heard = [made for made in self.unanswered if id(made) in told]
        self.unanswered = [made for made in self.unanswered if id(made) not in told]
        self.answered += heard
