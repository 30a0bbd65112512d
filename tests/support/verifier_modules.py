"""The modules that browsers share (src/tallystick/web/static/verify), asked on the Node of this machine or of NODE."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

MODULES: Final = Path(__file__).resolve().parents[2] / "src" / "tallystick" / "web" / "static" / "verify"
NODE: Final = os.environ.get("NODE", "node")

_SCRIPT: Final = """
import { readFileSync } from 'node:fs'
const { verifyEvidence, looksLike } = await import(process.argv[1])
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'))
const answers = []
for (const [evidence, policy] of JSON.parse(readFileSync(0))) {
  answers.push({ ...await verifyEvidence(bytes(evidence), bytes(policy)), looks: looksLike(bytes(evidence)) })
}
process.stdout.write(JSON.stringify(answers, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
"""


def verdicts_of(pairs: Sequence[tuple[bytes, bytes]]) -> list[Any]:
    """What the page's code says of each pair of evidence and policy, as JSON; all in one process."""
    asked = [[base64.b64encode(part).decode() for part in pair] for pair in pairs]
    ran = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "--eval", _SCRIPT, str(MODULES / "evidence.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout)
    return answers
