"""Which commands there are, for whom, and in which module; a module is imported when its command is given.

`tallystick --help` lists them from here, and imports none of them, nor the library that reads arguments.
"""

from typing import Final, NamedTuple


class Command(NamedTuple):
    """A command, or a group of them.

    Attributes:
        name: as it is typed.
        module: of `tallystick.cli`; its `add_commands` adds the command to an app.
        help: what it does, in a line.
    """

    name: str
    module: str
    help: str


BY_USER: Final = {
    "Auditors, and all who hold a proof": (
        Command("audit", "auditor", "Replay a log and name what is wrong."),
        Command("verify", "auditor", "Prove offline that an entry is in a log."),
        Command("receipt", "auditor", "Write the proof that an entry is in a log."),
        Command("receipts", "receipts", "Take receipts from parties, for audits."),
        Command("proof", "proofs", "Make Merkle proofs."),
        Command("dossier", "dossier", "Write all that concerns one account, to be verified offline."),
    ),
    "Treasuries, and all who sign": (
        Command("init", "init", "Write your profile: where commands go, and who signs them."),
        Command("do", "do", "Give a command by filling in its form."),
        Command("join", "joining", "Make a party's key, profile and admission."),
        Command("inbox", "inbox", "Show what waits for your signature, and sign it."),
        Command("cosign", "cosign", "Add your signature to a note that you have read."),
        Command("key", "keys", "Make keys, show them, change their passphrases."),
        Command("sign", "treasury", "Sign a command, or add a signature to a note."),
        Command("rules", "rules", "List the commands that a log takes."),
        Command("balances", "treasury", "Show balances, now or as of another time."),
    ),
    "Accountants": (
        Command("journal", "journal", "Write the log's postings for an accounting program."),
        Command("statement", "statement", "Write a statement as PDF, in English or Chinese."),
        Command("papers", "papers", "Write the working papers that an auditor asks for."),
        Command("payments", "payments", "List payments for the bank, and read its answer."),
    ),
    "Providers, and all who bring notes": (
        Command("usage", "usage", "Read usage records, plan and burn what isn't burned, reconcile."),
        Command("check", "provider", "Say what submit would decide; write nothing."),
        Command("submit", "provider", "Record notes, or say why not."),
        Command("show", "showing", "Show a voucher, programme, contract, application, claim and so on."),
        Command("list", "listing", "List vouchers, contracts, claims, parties, keys, items and so on."),
        Command("search", "listing", "Say what an id, name, code, reference, hash or job leads to."),
        Command("explore", "explore", "Show a log's pages in a browser, read-only."),
    ),
    "Operators": (
        Command("network", "network", "Found a network, and audit its logs together."),
        Command("ledger", "operator", "Make ledgers, back them up, restore them, change their keys."),
        Command("serve", "serve", "Serve a log over HTTP: write it, or stand by to."),
        Command("checkpoint", "checkpoint", "Have checkpoints cosigned."),
        Command("export", "operator", "Write a log as static files (tlog-tiles)."),
        Command("demo", "operator", "Play a year of the network on this machine."),
    ),
    "Witnesses and mirrors": (
        Command("witness", "witness", "Run a witness."),
        Command("mirror", "mirror", "Hold logs for others (a draft)."),
    ),
}
"""The users in the order of `--help`, and what each of them begins with."""
