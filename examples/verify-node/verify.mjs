#!/usr/bin/env node
// Verifies a Tallystick log with nothing but Node's standard library; written from docs/formats.md alone.
//
//   node verify.mjs folder POLICY FOLDER                    an exported log, whole
//   node verify.mjs receipt POLICY FILE [ENTRY]             a .tlog-proof; ENTRY if it doesn't carry the entry
//   node verify.mjs consistency POLICY CHECKPOINT PROOF     that an older tree is the beginning of this checkpoint's
//
// Prints JSON and exits with 0; or says why not in one line, and exits with 1 (evidence) or 2 (usage).

import { join } from 'node:path'
import { LogReader } from './entries.mjs'
import { NOTE_SIZE_MAX, openCheckpoint, POLICY_SIZE_MAX, readPolicy } from './notes.mjs'
import { readFile, Refused, require } from './spelling.mjs'
import * as tree from './tree.mjs'

const PROOF_SIZE_MAX = 65_535

function verifyFolder(policyPath, folder) {
  const { origin, size, root } = openCheckpointFile(policyPath, join(folder, 'checkpoint'))
  require(size <= BigInt(Number.MAX_SAFE_INTEGER), 'the log is too large for this program')
  const reader = new LogReader(origin)
  tree.walkTree(folder, Number(size), root, (entry, index) => reader.take(entry, index))
  return { origin, size, root: root.toString('base64'), ...reader.totals }
}

function verifyReceipt(policyPath, path, entryPath) {
  const receipt = tree.readReceipt(readFile(path, tree.RECEIPT_SIZE_MAX))
  const entry = entryPath === undefined ? receipt.entry : readFile(entryPath, tree.ENTRY_SIZE_MAX)
  require(entry !== undefined, 'the receipt does not carry its entry: give it')
  const leaf = tree.leafHash(entry)
  const { origin, size, root } = openCheckpoint(receipt.checkpoint, policyOf(policyPath))
  tree.verifyInclusion(receipt.index, size, leaf, receipt.proof, root)
  return { origin, size, root: root.toString('base64'), index: receipt.index, leaf_hash: leaf.toString('base64') }
}

function verifyConsistency(policyPath, checkpointPath, proofPath) {
  const { origin, size, root } = openCheckpointFile(policyPath, checkpointPath)
  const proof = tree.readConsistencyProof(readFile(proofPath, PROOF_SIZE_MAX))
  require(proof.newSize === size && proof.newRoot.equals(root), 'the proof is for another tree than the checkpoint')
  tree.verifyConsistency(proof.oldSize, size, proof.proof, proof.oldRoot, root)
  return { origin, old_size: proof.oldSize, old_root: proof.oldRoot.toString('base64'), size, root: root.toString('base64') }
}

const policyOf = (path) => readPolicy(readFile(path, POLICY_SIZE_MAX))

function openCheckpointFile(policyPath, path) {
  return openCheckpoint(readFile(path, NOTE_SIZE_MAX), policyOf(policyPath))
}

/** JSON with every digit of large integers, which JSON.stringify doesn't write. */
function print(values) {
  const shown = (value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))
  const lines = Object.entries(values).map(([name, value]) => `  ${JSON.stringify(name)}: ${shown(value)}`)
  process.stdout.write(`{\n${lines.join(',\n')}\n}\n`)
}

const COMMANDS = new Map([
  ['folder', { run: verifyFolder, least: 2, most: 2 }],
  ['receipt', { run: verifyReceipt, least: 2, most: 3 }],
  ['consistency', { run: verifyConsistency, least: 3, most: 3 }],
])

const [name, ...values] = process.argv.slice(2)
const command = COMMANDS.get(name)
if (command === undefined || values.length < command.least || values.length > command.most) {
  process.stderr.write('usage: node verify.mjs folder POLICY FOLDER | receipt POLICY FILE [ENTRY] | consistency POLICY CHECKPOINT PROOF\n')
  process.exitCode = 2
} else {
  try {
    print(command.run(...values))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    process.stderr.write(`refused: ${error.message}\n`)
    process.exitCode = 1
  }
}
