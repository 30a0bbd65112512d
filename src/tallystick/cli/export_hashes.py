"""`verify SOURCE --hashes` says that an export is whole, for who keeps or carries one, and what that doesn't say."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from contextlib import closing
from typing import TYPE_CHECKING

from tallystick.cli import output
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.sources import Source
    from tallystick.transparency.policy import Policy


def verify(source: "Source", policy: "Policy", *, as_json: bool) -> None:
    """Verify an export's hashes, and print the result.

    Args:
        source: an exported folder, or the URL of one or of a service.
        policy: whose checkpoint counts.
        as_json: for programs.

    Raises:
        UsageError: it is a ledger.
        VerificationError: the first file that is wrong, or the checkpoint isn't to be trusted.
    """
    from tallystick.sources import StaticFolder, StaticUrl
    from tallystick.static.files import open_files
    from tallystick.static.hashes import verify_hashes
    from tallystick.wire.proven import proven_hashes

    if not isinstance(source, StaticFolder | StaticUrl):
        raise UsageError(
            f"{source} is a ledger, whose hashes `tallystick audit` computes: give an exported folder or URL"
        )
    with closing(open_files(source)) as files, output.progress("Hashing") as progress:
        found = verify_hashes(files, policy, progress)
    if as_json:
        output.print_json(proven_hashes(found.checkpoint, found.bundles, found.tiles, found.size_bytes))
        return
    checkpoint = found.checkpoint
    output.line(
        f"proven: all {checkpoint.size:,} entries of {checkpoint.origin}, in {found.bundles:,} bundles under "
        f"{found.tiles:,} tiles, are those of its signed checkpoint; rules and signatures of parties weren't looked "
        "at: `tallystick audit` does"
    )
