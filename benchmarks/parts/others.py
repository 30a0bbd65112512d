"""Peers, as parts: each is a module of `peers/`, which says what it measures and why it can't."""

from peers import Peer, peers
from places import Place
from rounds import Part, Round


def _part(name: str, peer: Peer) -> Part:
    def measure(place: Place) -> Round:
        with place.folder() as where:
            return peer.measure(where, place.scale)

    measure.__doc__ = peer.measure.__doc__
    return Part(name, measure, peer.available)


PARTS = tuple(_part(name, peer) for name, peer in peers().items())
