"""How each command is given, as its page shows it; those of `do` are made from the forms (kind_options.py)."""

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "audit": (
        "tallystick audit ledger --trust trust.policy",
        "tallystick audit https://log.example --trust trust.policy --receipts receipts",
        "tallystick audit public --trust trust.policy --patterns --fail-on alarm",
        "tallystick audit public --trust trust.policy --segments --workers 8 --report report.json",
    ),
    "verify": (
        "tallystick verify 45.tlog-proof --trust trust.policy",
        "tallystick verify export --hashes --trust trust.policy",
    ),
    "receipt": ("tallystick receipt ledger 45 -o 45.tlog-proof",),
    "receipts serve": ("tallystick receipts serve receipts --port 8474",),
    "proof inclusion": ("tallystick proof inclusion ledger 45",),
    "proof consistency": ("tallystick proof consistency ledger 1000",),
    "proof balance": ("tallystick proof balance ledger holder acme-ai --seal platform-operator/2026-q1 -o acme.proof",),
    "dossier": ("tallystick dossier ledger voucher shanghai-treasury/v-7 -o v-7.dossier",),
    "init": (
        "tallystick init",
        "tallystick init --source https://log.example --policy trust.policy --key officer-1.pem",
    ),
    "join": (
        "tallystick join office --source https://log.example --policy trust.policy --party acme-ai \\",
        "    --role holder --name 'Acme AI' --uscc 91110000100000099P --by shanghai-treasury",
    ),
    "inbox": ("tallystick inbox",),
    "inbox sign": ("tallystick inbox sign 3f9a1c20b7d4",),
    "cosign": ("tallystick cosign admission.note --send",),
    "key new": ("tallystick key new shanghai-treasury/officer-1 -o officer-1.pem",),
    "key show": ("tallystick key show officer-1.pem",),
    "key passphrase": ("tallystick key passphrase officer-1.pem",),
    "key login": ("tallystick key login officer-1.pem --url https://log.example --log tallystick.example/national",),
    "sign": ("tallystick sign issue.json --key officer-1.pem -o issue.note",),
    "rules": ("tallystick rules", "tallystick rules --json"),
    "balances": (
        "tallystick balances ledger --by holder",
        "tallystick balances https://log.example --day 2026-03-31 --csv",
    ),
    "journal": (
        "tallystick journal ledger --format hledger -o books.journal",
        "tallystick journal ledger --format beancount --from 2026-01-01 --until 2026-03-31 -o q1.beancount",
        "tallystick journal ledger --format xlsx --accounts chart.toml -o books.xlsx",
    ),
    "papers": (
        "tallystick papers ledger -o papers-2026 --seed 'the auditor, 2027-01-15' --sample 40",
        "tallystick papers public -o papers-q1 --seed 8251 --stratum 10000 --stratum 1000000 --as-of 2026-03-31 --xlsx",
    ),
    "payments list": (
        "tallystick payments list ledger --programme shanghai-treasury/compute --accounts payees.csv -o list.csv",
    ),
    "payments read": ("tallystick payments read ledger bank.csv --programme shanghai-treasury/compute -o settle.csv",),
    "statement": (
        "tallystick statement ledger holder acme-ai -o acme-ai.pdf",
        "tallystick statement ledger provider guian-cluster --lang zh --from 2026-01-01 --until 2026-03-31 -o q1.pdf",
    ),
    "check": ("tallystick check ledger statement.note",),
    "submit": ("tallystick submit ledger issue.note --receipts receipts",),
    "usage map": (
        "tallystick usage map allocation.json --format opencost --cluster guian -o mapping.toml",
        "tallystick usage map april.csv --format csv --mapping mapping.toml",
    ),
    "usage read": ("tallystick usage read march.psv --format slurm-psv --mapping mapping.toml",),
    "usage plan": (
        "tallystick usage plan march.psv --format slurm-psv --mapping mapping.toml",
        "tallystick usage plan march.psv --format slurm-psv --mapping mapping.toml --reversals reversals.csv",
    ),
    "usage burn": ("tallystick usage burn march.psv --format slurm-psv --mapping mapping.toml",),
    "usage reconcile": (
        "tallystick usage reconcile march.psv --format slurm-psv --mapping mapping.toml \\",
        "    --from 2026-03-01 --until 2026-03-31 --payments bank.csv -o march.xlsx --sign meter.pem",
    ),
    "show": (
        "tallystick show ledger voucher shanghai-treasury/v-7",
        "tallystick show ledger entry 45",
    ),
    "list": ("tallystick list ledger programme",),
    "search": ("tallystick search ledger acme",),
    "network audit": ("tallystick network audit national shanghai https://guian.example --trust trust.policy",),
    "network found": ("tallystick network found network --origin log.example --name 'National network'",),
    "ledger create": ("tallystick ledger create ledger --genesis genesis.note --log-key log.pem",),
    "ledger backup": ("tallystick ledger backup ledger backup",),
    "ledger restore": ("tallystick ledger restore backup ledger",),
    "ledger rekey": ("tallystick ledger rekey ledger --next-log-key next.pem",),
    "explore": ("tallystick explore ledger --port 8474",),
    "serve": ("tallystick serve ledger --log-key log.pem --port 8473",),
    "checkpoint collect": ("tallystick checkpoint collect ledger --witness https://witness.example",),
    "export": ("tallystick export ledger public",),
    "demo": ("tallystick demo year", "tallystick demo town --limit 100 --dishonest"),
    "witness init": ("tallystick witness init witness --name witness.example --log trust.policy",),
    "witness cosign": ("tallystick witness cosign witness checkpoint",),
    "witness serve": ("tallystick witness serve witness --port 8475",),
    "mirror init": ("tallystick mirror init mirror --name mirror.example --log trust.policy",),
    "mirror serve": ("tallystick mirror serve mirror",),
    "mirror push": ("tallystick mirror push ledger --mirror https://mirror.example",),
}
