"""The verifier that pages share comes to the command line's verdict, with the same code, on good evidence and bad.

Every case is judged by `tallystick verify` in this process and by the modules in one process of Node's.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from dossiers.forging import proved_again, written
from dossiers.test_dossier_attacks import ACCOUNT, ATTACKS
from support.actors import ORIGIN, key_of
from support.command_line import done, run
from support.editions import founded_otherwise, in_edition
from support.schedules import schedule
from support.small_ledger import LOG_KEY, POLICY
from support.verifier_modules import verdicts_of
from tallystick.dossiers.writing import Bound
from tallystick.errors import TallystickError, VerificationError
from tallystick.findings import FindingCode
from tallystick.publishing import read_ledger
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.merkle import leaf_hash, path_of, root_of
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import split_entry
from tallystick.wire.problems import code_of

pytestmark = pytest.mark.system

WITNESSES: Final = [
    SigningKey.from_seed(f"witness.example/{n}", bytes([n]) * 32, COSIGNATURE_ED25519) for n in range(1, 4)
]
LOG_LINE: Final = f"log {LOG_KEY.verifier.to_text()}\n"
WITNESS_LINES: Final = "".join(f"witness w{n} {key.verifier.to_text()}\n" for n, key in enumerate(WITNESSES, start=1))
TWO_OF_THREE: Final = f"# of a city\n{LOG_LINE}{WITNESS_LINES}group ws 2 w1 w2 w3\nquorum ws\n".encode()
PLAIN: Final = POLICY.to_text()

OF_RULES: Final = {
    FindingCode.BALANCE_DIFFERS,
    FindingCode.DECISION_REFUSED,
    FindingCode.ENTRY_MISDECLARED,
    FindingCode.OUTCOME_DIFFERS,
    FindingCode.SIGNER_NOT_INVOLVED,
}
"""What only deciding anew shows."""
OF_RULES_TOO: Final = {"a_reservation_is_not_there"}


class Case(NamedTuple):
    """Evidence, a policy, and what they are called."""

    name: str
    evidence: bytes
    policy: bytes = PLAIN


class Said(NamedTuple):
    """A verdict: 0, 1 or 2 as the command line's status; the first code, and of a dossier all with their entries."""

    status: int
    code: str | None
    findings: list[Any]


def ours(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    """What the command line says; an error is caught as it is raised, which says its code."""
    evidence, policy = folder / "evidence", folder / "policy"
    evidence.write_bytes(case.evidence)
    policy.write_bytes(case.policy)
    monkeypatch.setenv("TALLYSTICK_TRACEBACK", "1")
    try:
        ran = run("verify", evidence, "--trust", policy, "--json")
    except TallystickError as error:
        return Said(1 if isinstance(error, VerificationError) else 2, code_of(type(error)), [])
    findings = [[one["code"], one["index"]] for one in ran.json.get("findings", [])]
    return Said(ran.status, findings[0][0] if findings else None, findings)


def theirs(verdict: Any) -> Said:
    """What the modules say."""
    statuses = {"proven": 0, "checked": 0, "refused": 1, "unreadable": 2, "unsupported": 2}
    findings = [[one["code"], one.get("index")] for one in verdict.get("findings", [])]
    return Said(statuses[verdict["verdict"]], verdict.get("code"), findings)


def differing(cases: list[Case], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Said, Said]]:
    """The cases of which the two say different things."""
    answers = map(theirs, verdicts_of([(case.evidence, case.policy) for case in cases]))
    pairs = [(case.name, ours(case, folder, monkeypatch), their) for case, their in zip(cases, answers, strict=True)]
    assert len(pairs) == len(cases) > 0
    return [(name, our, their) for name, our, their in pairs if our != their]


def receipt_of(log: list[bytes], index: int, *more: bytes) -> bytes:
    """A receipt of an entry, whose checkpoint has these lines more; the entry may be any bytes."""
    hashes = [leaf_hash(entry) for entry in log]
    note = sign_checkpoint(Checkpoint(ORIGIN, len(log), root_of(hashes)), LOG_KEY) + b"".join(more)
    return Receipt(index, path_of(index, hashes), note, log[index]).to_bytes()


def cosigned(log: list[bytes], *numbers: int) -> list[bytes]:
    """The lines of these witnesses for the checkpoint over a log."""
    note = Note.from_bytes(Receipt.from_bytes(receipt_of(log, 0)).checkpoint_note).to_bytes()
    return [cosign(note, WITNESSES[number], 1_767_600_000 + number) for number in numbers]


def flipped(data: bytes, places: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """The bytes with one bit changed, at each of these places."""
    for place in sorted({*places}):
        bit = 1 << place % 7
        yield f"bit {bit} of byte {place}", data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def of_each_line(data: bytes) -> Iterator[int]:
    """A middle place of every line and its end; in long schedules every place."""
    start = 0
    for line in data.splitlines(keepends=True):
        yield from schedule((start + len(line) // 2, start + len(line) - 1), range(start, start + len(line)))
        start += len(line)


def damaged(name: str, good: bytes, policy: bytes, places: Iterable[int]) -> list[Case]:
    """The good file, and what may become of it on the way."""
    cases = [Case(name, good, policy)]
    cases += [Case(f"{name}: {how}", bad, policy) for how, bad in flipped(good, places)]
    cases += [Case(f"{name}: cut at {at}", good[:at], policy) for at in (0, 40, len(good) // 2, len(good) - 1)]
    others = {
        "more": good + b"\n",
        "twice": good * 2,
        "windows": good.replace(b"\n", b"\r\n"),
        "bom": b"\xef\xbb\xbf" + good,
    }
    return [*cases, *[Case(f"{name}: {what}", bad, policy) for what, bad in others.items()]]


@pytest.mark.long
def test_receipts(log: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every region a bit, other logs, quorums that are reached and missed, keys that are gone, junk."""
    lines = cosigned(log, 0, 1)
    good = receipt_of(log, 7, *lines)
    other = key_of("other.example/log").verifier.to_text()
    strange = Signature("x" * 256, b"abcd", b"efgh").to_line()
    wrong_time = lines[0].replace(lines[0].split()[-1], base64.b64encode(b"\xff" * 76))
    cases = damaged("receipt", good, TWO_OF_THREE, of_each_line(good))
    cases += [
        Case("of another log's policy", good, f"log {other}\nquorum none\n".encode()),
        Case("one of two witnesses", receipt_of(log, 7, lines[0]), TWO_OF_THREE),
        Case("no witness", receipt_of(log, 7), TWO_OF_THREE),
        Case("a witness's line of another checkpoint", receipt_of(log, 7, *cosigned(log[:-1], 0, 1)), TWO_OF_THREE),
        Case("a witness's line with another time", receipt_of(log, 7, wrong_time, lines[1]), TWO_OF_THREE),
        Case(
            "a bad witness and no log",
            receipt_of(log, 7, wrong_time),
            f"log {other}\n{WITNESS_LINES}quorum w1\n".encode(),
        ),
        Case("a stranger's line", receipt_of(log, 7, Signature("x" * 255, b"abcd", b"e").to_line()), PLAIN),
        Case("a stranger's line with too long a name", receipt_of(log, 7) + strange, PLAIN),
        Case("without its entry", good.replace(good.split(b"\n")[1] + b"\n", b"", 1), TWO_OF_THREE),
        Case("of what is no entry", receipt_of([*log[:7], b"junk", *log[8:]], 7)),
        Case("of an entry with another index", receipt_of([*log[:7], log[8], *log[8:]], 7)),
        Case("of newer rules", receipt_of([founded_otherwise(log[0], in_edition(2)), *log[1:]], 0)),
        Case("junk", b"\x00\xff" * 500),
        Case("a policy for evidence", PLAIN),
        Case("evidence for a policy", good, good),
        Case("an empty policy", good, b""),
        Case("a policy without a newline", good, PLAIN[:-1]),
        Case("a policy with a bit changed", good, PLAIN.replace(b"quorum none", b"quorum nonf")),
        Case("a policy of a key with a bit changed", good, PLAIN.replace(b"+A", b"+B")),
        Case("a policy that names a witness twice", good, TWO_OF_THREE.replace(b"witness w2", b"witness w1")),
    ]
    assert differing(cases, tmp_path, monkeypatch) == []


@pytest.mark.long
def test_balance_proofs(ledger: Path, log: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, and parts of other proofs."""
    made = {}
    for kind, id_ in (
        ("holder", "maker-a"),
        ("provider", "guian"),
        ("treasury", "shanghai"),
        ("voucher", "shanghai/v1"),
    ):
        file = tmp_path / f"{kind}.proof"
        done("proof", "balance", ledger, kind, id_, "--seal", "registry/first", "-o", file)
        made[kind] = file.read_bytes()
    cases = damaged(
        "balance", made["holder"], PLAIN, range(0, len(made["holder"]), len(made["holder"]) // schedule(25, 400))
    )
    cases += [Case(kind, proof) for kind, proof in made.items()]
    cases += [Case(f"{kind}, too few witnesses", proof, TWO_OF_THREE) for kind, proof in made.items()]
    proof, provider = json.loads(made["holder"]), json.loads(made["provider"])
    most = 2**53 - 1
    changes: list[dict[str, object]] = [
        {"party": provider["party"]},
        {"party": []},
        {"party": [*proof["party"], proof["receipt"]]},
        {"party": proof["party"] * 3},
        {"receipt": proof["party"][0]},
        {"receipt": provider["receipt"], "leaf": provider["leaf"]},
        {"position": proof["position"] + 1},
        {"position": most},
        {"position": -1},
        {"position": most + 1},
        {"path": proof["path"][1:]},
        {"path": proof["path"] * 20},
        {"leaf": proof["leaf"].replace('"available_fen":', '"available_fen":9')},
        {"leaf": ""},
        {"leaf": "x" * 2_049},
        {"format": "tallystick-balance-proof/2"},
        {"more": 1},
    ]
    for changed in changes:
        data = json.dumps(proof | changed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        cases.append(Case(f"changed {changed!a:.60}", data))
    assert differing(cases, tmp_path, monkeypatch) == []


def dossiers_of(ledger: Path, log: list[bytes]) -> list[Case]:
    """Good ones of each kind, and from a seal or up to one."""
    first = next(index for index, entry in enumerate(log) if b'"book.sealed/1"' in entry)
    accounts = (
        ACCOUNT,
        "holder maker-a",
        "voucher shanghai/v1",
        "programme shanghai/compute-2026",
        "treasury shanghai",
        "contract maker-a/k1",
    )
    return [
        *[Case(account, written(ledger, account)) for account in accounts],
        Case("from a seal", written(ledger, ACCOUNT, Bound(index=first + 1))),
        Case("up to a seal", written(ledger, ACCOUNT, None, Bound(index=first))),
    ]


@pytest.mark.long
def test_dossiers(ledger: Path, log: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones, spoilt ones, and those that a cheat with the log's own key makes."""
    data = written(ledger, ACCOUNT)
    cases = dossiers_of(ledger, log)
    cases += [Case(f"{case.name}, too few witnesses", case.evidence, TWO_OF_THREE) for case in cases[:1]]
    cases += damaged(
        "dossier",
        data,
        PLAIN,
        [*range(0, data.index(b"\n") + 20, schedule(240, 40)), *range(2_000, len(data), len(data) // schedule(5, 90))],
    )
    first_of_code = {code: name for name, (code, _) in reversed(ATTACKS.items()) if name not in OF_RULES_TOO}
    assert len(first_of_code) == len({code for code, _ in ATTACKS.values()})
    cases += [Case(name, ATTACKS[name][1](data, log)) for code, name in first_of_code.items() if code not in OF_RULES]
    cases.append(Case("of newer rules", proved_again(data, [founded_otherwise(log[0], in_edition(2)), *log[1:]])))
    differ = differing(cases, tmp_path, monkeypatch)
    # What follows from an entry that is wrong, deciding anew names too; the first of it is the same.
    assert [(name, our, their) for name, our, their in differ if our[:2] != their[:2]] == []
    for name, our, their in differ:
        assert {one for one, _ in our.findings} - {one for one, _ in their.findings} <= {
            one.value for one in [*OF_RULES, FindingCode.DEPENDENCY_MISSING]
        }, name


def test_what_only_the_rules_show_is_not_called_proved(ledger: Path, log: list[bytes]) -> None:
    """Its verdict is another word than that of a receipt, and it names nothing of it."""
    data = written(ledger, ACCOUNT)
    names = [
        name
        for name, (code, _) in ATTACKS.items()
        if code in OF_RULES - {FindingCode.BALANCE_DIFFERS} or name in OF_RULES_TOO
    ]
    answers = verdicts_of([(ATTACKS[name][1](data, log), PLAIN) for name in names])
    assert [answer["verdict"] for answer in answers] == ["checked"] * 5


def test_what_a_verdict_says(ledger: Path, log: list[bytes], tmp_path: Path) -> None:
    """The entry, who signed it, the tree, who saw it and when; the amounts of a balance proof and a dossier."""
    receipt = receipt_of(log, 7, *cosigned(log, 0, 2))
    file = tmp_path / "b.proof"
    done("proof", "balance", ledger, "holder", "maker-a", "--seal", "registry/first", "-o", file)
    said, balance, dossier = verdicts_of(
        [(receipt, TWO_OF_THREE), (file.read_bytes(), PLAIN), (written(ledger, ACCOUNT), PLAIN)]
    )
    with read_ledger(ledger) as reader:
        root = base64.b64encode(reader.checkpoint.root).decode()
    header, note = split_entry(log[7])
    of_header: Any = canonical_json.decode(header)
    assert said["entry"]["kind"] == of_header["kind"]
    assert said["entry"]["signed_by"] == [line.label for line in Note.from_bytes(note).signatures]
    assert (said["checkpoint"]["origin"], said["checkpoint"]["size"]) == (ORIGIN, str(len(log)))
    assert [one.get("seconds") for one in said["checkpoint"]["witnesses"]] == ["1767600000", None, "1767600002"]
    assert said["policy"]["quorum"] == "ws"
    told = run("verify", file, "--trust", _policy(tmp_path), "--json").json
    assert (balance["account"], balance["balances"], balance["entries"]) == (
        told["account"],
        told["balances"],
        told["entries"],
    )
    assert balance["checkpoint"]["root"] == told["checkpoint"]["root"] == root
    assert {name: balance[name] or None for name in told["party"]} == told["party"] | {
        "name": told["party"]["name"] or None
    }
    (tmp_path / "d.dossier").write_bytes(written(ledger, ACCOUNT))
    book = run("verify", tmp_path / "d.dossier", "--trust", _policy(tmp_path), "--json").json
    names = ("account", "entries", "dependencies", "balances")
    assert {name: dossier[name] for name in names} == {name: book[name] for name in names}
    assert dossier["entriesLater"] == book["entries_later"]
    assert [one["index"] for one in dossier["book"]] == [one["index"] for one in book["book"]]
    assert {**dossier["closing"], "at": None} == {**book["closing"], "at": None}


def _policy(folder: Path) -> Path:
    path = folder / "trust.policy"
    path.write_bytes(PLAIN)
    return path
