"""Bytes of a log that lies somewhere as static files (C2SP tlog-tiles), in a folder or on the web; nothing is trusted.

    files.py   a folder, and what it has in common with the web: read a file, up to a limit
    web.py     the same over HTTP, from a server that may lie, hang or never end
    log.py     checkpoint, tiles and entries of such files, cut to what is asked for
    hashes.py  all hashes computed again, and held against the signed checkpoint

The writer's side and the auditor's share these reads and no judgement: a length is checked here, since it is the
layout's. What the bytes say is their business; that they hang together, whoever hands them on can see.
"""

from tallystick.static.files import FolderFiles, StaticFiles, find_file, open_files
from tallystick.static.log import StaticLog

__all__ = ["FolderFiles", "StaticFiles", "StaticLog", "find_file", "open_files"]
