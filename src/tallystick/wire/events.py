"""An entry as an event of CloudEvents 1.0, as streams tell it.

{"specversion": "1.0", "id": "17", "source": "<the log's origin>", "type": "voucher.issued/1", "time": "…",
 "subject": "<whose command>", "datacontenttype": "application/json", "data": {<the entry in full>}}

`source` and `id` together are one entry's for ever.
"""

from tallystick.wire import JsonObject
from tallystick.wire.entries import entry


def cloud_event(origin: str, index: int, data: bytes) -> JsonObject:
    """Return an entry as an event.

    Raises:
        EntryMalformedError: the bytes are no entry.
        ProofInvalidError: the entry calls itself another.
    """
    said = entry(index, data)
    return {
        "specversion": "1.0",
        "id": str(index),
        "source": origin,
        "type": said["kind"],
        "time": said["at"],
        "subject": said["command"]["party"],
        "datacontenttype": "application/json",
        "data": said,
    }
