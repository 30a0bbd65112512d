// One file and a policy in, a verdict out: the same one as `tallystick verify` comes to, as far as it can be told here.

import { verifyBalance } from './balance.mjs'
import { examineDossier, isDossier, startsWith } from './dossiers.mjs'
import { Refused, toBase64, Unsupported, utf8 } from './encoding.mjs'
import { entryIn } from './entries.mjs'
import { readPolicy } from './notes.mjs'
import { verifyReceipt } from './receipts.mjs'

/** Larger ones are for the command line, which reads them line by line. */
export const EVIDENCE_SIZE_MAX = 268_435_456

const KINDS = [
  ['receipt', /^c2sp\.org\/tlog-proof@/],
  ['balance', /^\{"format":"tallystick-balance-proof/],
  ['dossier', /^\{"account":"/],
  ['entry', /^\{"at":"/],
  ['consistency', /^\s*\{[^]*"old_size"/],
  ['checkpoint', /^[^\n]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n[^]*\n\u2014 /],
  ['policy', /^(?:[ \t]*(?:#.*)?\n)*[ \t]*(?:log|witness|group|quorum)[ \t]/],
  ['page', /^<!doctype html/i],
]

/** What a file begins like, as a word; undefined where that can't be told. Nothing is read of it. */
export function looksLike(data) {
  const beginning = new TextDecoder().decode(data.subarray(0, 4_096))
  return KINDS.find(([, pattern]) => pattern.test(beginning))?.[0]
}

/** As what evidence is read: by its first bytes alone, as the command line does. */
export function kindOf(data) {
  if (isDossier(data)) return 'dossier'
  return startsWith(data, '{"format":"tallystick-balance-proof/1"') ? 'balance' : 'receipt'
}

const READERS = { receipt: ofReceipt, balance: ofBalance, dossier: ofDossier }
const DISPROVED = ['signature_invalid', 'signature_missing', 'quorum_missing', 'proof_invalid']

/**
 * The verdict on evidence under a policy, both given as bytes. `verdict` is
 *
 *     proven       all that the evidence says is proved
 *     checked      of a dossier: all that can be checked without the rules is right
 *     refused      it doesn't prove what it should: `code`, `detail`; of a dossier `findings`, and `code` is the first one's
 *     unreadable   policy or evidence isn't in its form, which says nothing about the log: `code`, `detail`
 *     unsupported  this engine, or this version, can't judge it: `code`, `detail`
 *
 * The codes are the command line's. Of the first two the rest says what was proved, and `policy` under whose trust.
 */
export async function verifyEvidence(data, policyData) {
  const kind = kindOf(data)
  try {
    const policy = await readPolicy(policyData)
    return { kind, policy: saidOf(policy), ...(await READERS[kind](data, policy)) }
  } catch (error) {
    if (error instanceof Unsupported) return { kind, verdict: 'unsupported', code: error.code, detail: error.message }
    if (!(error instanceof Refused)) throw error
    const verdict = DISPROVED.includes(error.code) ? 'refused' : 'unreadable'
    return { kind, verdict, code: error.code, detail: error.message }
  }
}

async function ofReceipt(data, policy) {
  const { checkpoint, index, entry } = await verifyReceipt(data, policy)
  return { verdict: 'proven', checkpoint: treeOf(checkpoint), entry: saidOfEntry(entryIn({ entry, index })) }
}

async function ofBalance(data, policy) {
  const { checkpoint, leaf, ...said } = await verifyBalance(data, policy)
  return { verdict: 'proven', checkpoint: treeOf(checkpoint), ...leaf, ...said }
}

async function ofDossier(data, policy) {
  const { checkpoint, ...report } = await examineDossier(data, policy)
  const said = { ...report, checkpoint: treeOf(checkpoint) }
  const [first] = report.findings
  return first === undefined ? { verdict: 'checked', ...said } : { verdict: 'refused', code: first.code, detail: first.detail, ...said }
}

function treeOf({ origin, size, root, signers, witnesses }) {
  return { origin, size, root: toBase64(root), signers, witnesses: witnesses.map((one) => ({ ...one, name: octets(one.name) })) }
}

function saidOfEntry({ header, command, note }) {
  const { index, at, kind, outcome } = header
  return { index, at, kind, outcome, party: command.party, ref: command.ref, signed_by: note.lines.map(({ label }) => label), command }
}

function saidOf({ logs, groups, witnesses, quorum }) {
  const named = groups.map(({ name, threshold, members }) => ({ name: octets(name), threshold, members: members.map(octets) }))
  return { logs: [...logs.keys()], witnesses: witnesses.size, groups: named, quorum: octets(quorum) }
}

/** A policy's names are octets; most are UTF-8, and shown as that. */
function octets(name) {
  const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0))
  try {
    return utf8(bytes, 'a name')
  } catch {
    return name
  }
}
