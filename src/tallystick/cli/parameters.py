"""Arguments and options that several commands take, each said once: its name, what it is read as, and its help.

A SOURCE is parsed here, where a command starts; no code after that asks again what kind of place it is.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick import token_uris
from tallystick.cli import reading

if TYPE_CHECKING:
    from tallystick.sources import Source, StaticUrl, WritableSource

    Folder = Path
    SubmitTarget = WritableSource | StaticUrl
    KeyPlace = token_uris.KeyPlace
else:  # typer takes no union; it passes on what the parser returns, and shows the type's name in --help
    Source = WritableSource = SubmitTarget = type("folder or URL", (), {})
    KeyPlace = type("key", (), {})
    Folder = type("folder", (), {})


class AccountKind(StrEnum):
    """What has a balance, and under a seal a proof of it."""

    VOUCHER = "voucher"
    HOLDER = "holder"
    PROVIDER = "provider"
    PROGRAMME = "programme"
    CONTRACT = "contract"
    TREASURY = "treasury"


class DossierKind(StrEnum):
    """What has a dossier: accounts, and things that no seal has a leaf of."""

    VOUCHER = AccountKind.VOUCHER.value
    HOLDER = AccountKind.HOLDER.value
    PROVIDER = AccountKind.PROVIDER.value
    PROGRAMME = AccountKind.PROGRAMME.value
    CONTRACT = AccountKind.CONTRACT.value
    TREASURY = AccountKind.TREASURY.value
    APPLICATION = "application"
    CLAIM = "claim"
    DEMAND = "demand"


class BalanceKind(StrEnum):
    """What has a row in a table of balances."""

    PROGRAMME = AccountKind.PROGRAMME.value
    HOLDER = AccountKind.HOLDER.value
    PROVIDER = AccountKind.PROVIDER.value
    VOUCHER = AccountKind.VOUCHER.value
    CONTRACT = AccountKind.CONTRACT.value
    APPLICATION = "application"
    MANDATE = "mandate"
    CLAIM = "claim"
    DEMAND = "demand"
    PAYEE = "payee"
    TREASURY = AccountKind.TREASURY.value
    ACCOUNT = "account"


def _source(parser: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Argument(metavar="SOURCE", parser=parser, help=text)


def folder(text: str, parser: Callable[[str], Path] = reading.folder_named, metavar: str = "DIR") -> Any:  # noqa: ANN401
    """Return the argument that names a folder which isn't a SOURCE; what is in it is for the command to say."""
    return typer.Argument(metavar=metavar, parser=parser, help=text)


def out(text: str) -> Any:  # noqa: ANN401 - as typer has it
    """Return the option that names the file which a command writes; what is in it is for the command to say."""
    return typer.Option("--out", "-o", help=text)


ReadSource = Annotated[
    Source,
    _source(
        reading.source_of,
        "A ledger's folder or postgresql:// URL, which may be in use; an exported folder, or the URL of one or of a "
        "service.",
    ),
]
LedgerSource = Annotated[
    WritableSource, _source(reading.ledger_of, "A ledger folder, or the postgresql:// URL of a ledger.")
]
SubmitSource = Annotated[
    SubmitTarget,
    _source(reading.submitted_to, "A service's URL; or a ledger folder, or the postgresql:// URL of a ledger."),
]
NewLedgerSource = Annotated[
    WritableSource,
    _source(reading.new_ledger_of, "A folder, made if it isn't there; or an empty database's URL."),
]
JoinedSource = Annotated[
    Source,
    typer.Option(
        "--source",
        parser=reading.source_of,
        metavar="SOURCE",
        help="The service's URL, or a ledger on this machine.",
    ),
]
RestoreTarget = Annotated[
    WritableSource,
    typer.Argument(
        metavar="TARGET", parser=reading.new_ledger_of, help="A new folder, or the URL of an empty database."
    ),
]
PublishedSource = Annotated[
    Source, _source(reading.published_of, "A ledger folder or postgresql:// URL, or an exported folder.")
]

LogTime = Annotated[
    str | None,
    typer.Option(
        "--log-time",
        metavar="TIME",
        help="The log's time instead of this machine's, for rehearsals only: it can never go back again.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="As the log knew it: up to an entry's index, a time (…T08:00:00Z, …T16:00:00+08:00, …T16:00:00) or a "
        "day's end (2026-01-05).",
    ),
]
Day = Annotated[
    str | None,
    typer.Option(
        "--day",
        metavar="DAY",
        help="As it was at a day's end, whenever that was recorded: a line counts on the day that it is booked on, all "
        "else on the day of its entry.",
    ),
]

EntryIndex = Annotated[int, typer.Argument(help="The entry's index, counted from 0.")]
Notes = Annotated[list[str], typer.Argument(metavar="NOTE...", help="Signed notes, decided in order; - is stdin.")]

Trust = Annotated[Path, typer.Option(help="The trust policy, obtained out of band.")]
CheckpointTrust = Annotated[
    Path | None,
    typer.Option(help="The trust policy: its log must have signed the checkpoint, and its witnesses as it asks."),
]
LogKeyTrust = Annotated[
    Path | None,
    typer.Option(help="Names the log's key; else the trust.policy in the folders does, if there is one."),
]


def key_option(text: str) -> Any:  # noqa: ANN401 - as typer has it
    """Return the option that names a key, a file or a PKCS#11 URI; what it is for is for the command to say."""
    return typer.Option(metavar="KEY", parser=token_uris.key_place, help=f"{text} A file or a PKCS#11 URI.")


def key_argument(text: str) -> Any:  # noqa: ANN401 - as typer has it
    """Return the argument that names a key, a file or a PKCS#11 URI; which it is, is for the command to say."""
    return typer.Argument(metavar="KEY", parser=token_uris.key_place, help=f"{text} A file or a PKCS#11 URI.")


LogKey = Annotated[
    KeyPlace | None, key_option("The key that signs checkpoints, instead of the one that the settings name.")
]
NextLogKey = Annotated[KeyPlace | None, key_option("The log's next key, while the log's key changes: both sign then.")]
LogKeyPassphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Its first line is the log key's passphrase or PIN.")
]
LoginKey = Annotated[KeyPlace | None, key_option("Log in at a service with this key; else with your profile's.")]
LoginPassphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Its first line unlocks the key that logs in.")
]
ServiceTrust = Annotated[
    Path | None,
    typer.Option("--trust", help="The trust policy, by which a service's receipts are verified; else your profile's."),
]
AuditorUrls = Annotated[
    list[str] | None,
    typer.Option("--auditor", metavar="URL", help="Post a service's receipts there too, once for each auditor."),
]
PassphraseCommand = Annotated[
    str | None,
    typer.Option("--passphrase-command", metavar="PROGRAM", help="Prints the passphrase or PIN; run without a shell."),
]
NewKeyPassphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="Its first line locks the key.")]
NewKeyToken = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="URI",
        help="Make the key in this PKCS#11 token, not in a file: pkcs11:token=LABEL?module-path=/…",
    ),
]
NoPassphrase = Annotated[
    bool, typer.Option("--no-passphrase", help="Leave the key unlocked: a copy of the file is enough to sign.")
]
AcceptClockJump = Annotated[
    bool,
    typer.Option(
        "--accept-clock-jump", help="This machine's clock is right, though it is far ahead of the last entry."
    ),
]

ListenHost = Annotated[str, typer.Option("--host", help="The address to listen on.")]
ListenPort = Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 takes any that is free.")]
ShownReport = Annotated[
    Path | None, typer.Option("--report", help="A report of `audit --report`, whose findings are shown.")
]
VerifyProcesses = Annotated[int, typer.Option("--processes", min=0, help="How many processes verify signatures ahead.")]

Force = Annotated[bool, typer.Option("--force", help="Replace a file even if it holds something else.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Work it out from the log alone, not from views.db.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsJsonInFen = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in fen.")]
Segments = Annotated[
    bool, typer.Option("--segments", help="Audit an export from each of its saved states on at once: same report.")
]
Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Audit the segments by the workers of this Dask scheduler."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="So many processes; all processors if left out, 1: none beside this one.")
]
Wide = Annotated[bool, typer.Option("--wide", help="Print tables as wide as need be, also where they don't fit.")]

ProfileFile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="FILE", help="Your profile; else TALLYSTICK_PROFILE, or the nearest tallystick.toml."
    ),
]
ProfileSource = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="A service's URL, a ledger's folder or postgresql:// URL; else your profile's.",
    ),
]
ProfileParty = Annotated[
    str | None, typer.Option("--party", metavar="PARTY", help="The party that gives the command; else your profile's.")
]
SignWith = Annotated[
    list[str] | None,
    typer.Option("--sign-with", metavar="FILE", help="A key that signs, once for each; else your profile's."),
]
SignerPassphrase = Annotated[
    str | None, typer.Option("--passphrase-file", metavar="FILE", help="The signing keys'; else your profile's.")
]
SignerPassphraseCommand = Annotated[
    str | None,
    typer.Option(
        "--passphrase-command", metavar="COMMAND", help="Prints the signing keys' passphrase; else your profile's."
    ),
]
ProfilePolicy = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="The trust policy of a service's log; else your profile's."),
]
SheetEncoding = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help="Of that file, if it isn't UTF-8: gb18030.")
]
CheckOnly = Annotated[bool, typer.Option("--check", help="Say what would be decided, and record nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask: what is shown is what I mean.")]
