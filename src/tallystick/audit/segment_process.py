"""A process that audits segments, started by `segment_processes.py` as a script: orders come in, results go out.

Both are pickled, each behind its length. Orders are taken in beside the work, so that the process ends at once when its
caller is gone, and not only after the segment.
"""

import os
import queue
import signal
import sys
import threading
from typing import cast

from tallystick.audit.segments import SegmentOrder, audit_segment
from tallystick.verifying.process import receive, send


def _take_in(orders: "queue.SimpleQueue[SegmentOrder]") -> None:
    while True:
        try:
            orders.put(cast(SegmentOrder, receive(sys.stdin.buffer)))
        except EOFError:
            os._exit(0)


def _work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's
    orders: queue.SimpleQueue[SegmentOrder] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(orders,), daemon=True).start()
    while True:
        send(sys.stdout.buffer, audit_segment(orders.get()))


if __name__ == "__main__":
    _work()
