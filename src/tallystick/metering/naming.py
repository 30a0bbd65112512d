"""What the ledger calls a job: `<cluster>/<job>`, the same in every export, different for different jobs."""

import hashlib
import re
from typing import Final

_FITS: Final = re.compile(r"[a-z0-9][a-z0-9._:/@+=-]{0,127}", re.ASCII)
_ODD: Final = re.compile(r"[^a-z0-9._:/@+=-]+", re.ASCII)
_KEPT: Final = 60
_DIGEST_HEX: Final = 16


def job_name(cluster: str, job: str) -> str:
    """Return the ledger's name of a job.

    A name that the ledger doesn't take is shortened to 60 characters, with 16 hex digits of its SHA-256 behind `=`, so
    that two different jobs have different names. A name that ends like that itself is treated so too.
    """
    name = f"{cluster}/{job}"
    if _FITS.fullmatch(name) and not _is_shortened(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_HEX]
    return f"{_ODD.sub('-', name.lower())[:_KEPT]}={digest}"


def _is_shortened(name: str) -> bool:
    """Whether a name could be taken for a shortened one."""
    return "=" in name and re.search(r"=[0-9a-f]{16}$", name) is not None
