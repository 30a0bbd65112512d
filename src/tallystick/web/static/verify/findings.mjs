// What can be wrong with a dossier: codes in the order in which they explain one another (docs/dossiers.md).

const FINDINGS_MAX = 100 // of one code

const PRECEDENCE = [
  'checkpoint_signature_invalid',
  'checkpoint_quorum_missing',
  'command_for_another_log',
  'proof_invalid',
  'seal_unknown',
  'seal_stale',
  'seal_proof_invalid',
  'entry_left_out',
  'entry_not_counted',
  'entry_malformed',
  'index_differs',
  'entry_misdeclared',
  'signature_invalid',
  'key_revoked',
  'key_not_active_yet',
  'key_not_for_this_command',
  'dependency_missing',
  'decision_refused',
  'findings_cut',
]

/** Notes each finding once; of one code, what is beyond a number is only counted. */
export class Findings {
  #found = new Map() // code -> its findings
  #seen = new Set()
  #cut = 0

  get isEmpty() {
    return this.#found.size === 0
  }

  add(code, index, detail = '') {
    const place = PRECEDENCE.indexOf(code)
    if (place < 0) throw new RangeError(`${code} is no finding`)
    const same = JSON.stringify([code, index ?? -1, detail])
    if (this.#seen.has(same)) return
    const ofCode = this.#found.get(code) ?? []
    if (ofCode.length === FINDINGS_MAX) {
      this.#cut += 1
      return
    }
    this.#seen.add(same)
    this.#found.set(code, [...ofCode, { code, index, detail }])
  }

  /** `[{code, index, detail}]`, what explains the rest first; `index` is undefined where it is about no one entry. */
  inOrder() {
    const listed = PRECEDENCE.flatMap((code) => (this.#found.get(code) ?? []).sort((a, b) => (a.index ?? 0) - (b.index ?? 0)))
    return this.#cut === 0 ? listed : [...listed, { code: 'findings_cut', index: undefined, detail: `${this.#cut} more` }]
  }
}
