#!/usr/bin/env node
// Verifies a Tallystick log with nothing but Node; written from docs/formats.md alone.
//
//   node verify.mjs folder POLICY FOLDER                    an exported log, whole
//   node verify.mjs receipt POLICY FILE [ENTRY]             a .tlog-proof; ENTRY if it doesn't carry the entry
//   node verify.mjs balance POLICY FILE                     what an account held at a seal, and whose it is
//   node verify.mjs consistency POLICY CHECKPOINT PROOF     that an older tree is the beginning of this checkpoint's
//
// Prints JSON and exits with 0; or says why not in one line, and exits with 1 (evidence) or 2 (usage, this engine, or newer rules).

import { BALANCE_PROOF_SIZE_MAX, verifyBalance as balanceIn } from '../../src/tallystick/web/static/verify/balance.mjs'
import { equal, Refused, require, toBase64, Unsupported } from '../../src/tallystick/web/static/verify/encoding.mjs'
import { LogReader } from '../../src/tallystick/web/static/verify/entries.mjs'
import { checkLogKeys, NOTE_SIZE_MAX, openCheckpoint, POLICY_SIZE_MAX, readPolicy } from '../../src/tallystick/web/static/verify/notes.mjs'
import { verifyReceipt as receiptIn } from '../../src/tallystick/web/static/verify/receipts.mjs'
import * as tree from '../../src/tallystick/web/static/verify/tree.mjs'
import { folderReader, kindOf, readFile } from './files.mjs'

const PROOF_SIZE_MAX = 65_535

async function verifyFolder(policyPath, folder) {
  const read = folderReader(folder)
  const policy = await policyOf(policyPath)
  const checkpoint = await read('checkpoint', NOTE_SIZE_MAX)
  const { origin, size, root } = await openCheckpoint(checkpoint, policy)
  require(size <= BigInt(Number.MAX_SAFE_INTEGER), 'the log is too large for this program')
  const reader = new LogReader(origin)
  await tree.walkTree(read, Number(size), root, (entry, index) => reader.take(entry, index))
  if (reader.newerEdition !== undefined) {
    const since = reader.newerFrom === 0 ? '' : ` from entry ${reader.newerFrom} on`
    throw new Unsupported(`made by rules edition ${reader.newerEdition}${since}; this program knows edition 1 alone`)
  }
  const logKeys = reader.logKeys()
  if (logKeys.length > 0) await checkLogKeys(checkpoint, logKeys, policy)
  return { origin, size, root: toBase64(root), ...reader.totals }
}

async function verifyReceipt(policyPath, path, entryPath) {
  const data = readFile(path, tree.RECEIPT_SIZE_MAX)
  const given = entryPath === undefined ? undefined : readFile(entryPath, tree.ENTRY_SIZE_MAX)
  const { checkpoint, index, leaf } = await receiptIn(data, await policyOf(policyPath), given)
  const { origin, size, root } = checkpoint
  return { origin, size, root: toBase64(root), index, leaf_hash: toBase64(leaf) }
}

async function verifyBalance(policyPath, path) {
  const data = readFile(path, BALANCE_PROOF_SIZE_MAX)
  const { checkpoint, leaf, ...found } = await balanceIn(data, await policyOf(policyPath))
  const { origin, size, root } = checkpoint
  return { origin, size, root: toBase64(root), account: leaf.account, ...found, entries: leaf.entries, balances: leaf.balances }
}

async function verifyConsistency(policyPath, checkpointPath, proofPath) {
  const checkpoint = readFile(checkpointPath, NOTE_SIZE_MAX)
  const { origin, size, root } = await openCheckpoint(checkpoint, await policyOf(policyPath))
  const proof = tree.readConsistencyProof(readFile(proofPath, PROOF_SIZE_MAX))
  require(proof.newSize === size && equal(proof.newRoot, root), 'the proof is for another tree than the checkpoint')
  await tree.verifyConsistency(proof.oldSize, size, proof.proof, proof.oldRoot, root)
  return { origin, old_size: proof.oldSize, old_root: toBase64(proof.oldRoot), size, root: toBase64(root) }
}

const policyOf = (path) => readPolicy(readFile(path, POLICY_SIZE_MAX))

/** JSON with every digit of large integers, which JSON.stringify doesn't write. */
function print(values) {
  const shown = (value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))
  const lines = Object.entries(values).map(([name, value]) => `  ${JSON.stringify(name)}: ${shown(value)}`)
  process.stdout.write(`{\n${lines.join(',\n')}\n}\n`)
}

const POLICY = ['POLICY', 'a trust policy']
const COMMANDS = new Map([
  ['folder', { run: verifyFolder, least: 2, parameters: [POLICY, ['FOLDER', 'a folder']] }],
  ['receipt', { run: verifyReceipt, least: 2, parameters: [POLICY, ['FILE', 'a receipt'], ['ENTRY', 'an entry']] }],
  ['balance', { run: verifyBalance, least: 2, parameters: [POLICY, ['FILE', 'a balance proof']] }],
  ['consistency', {
    run: verifyConsistency,
    least: 3,
    parameters: [POLICY, ['CHECKPOINT', 'a checkpoint'], ['PROOF', 'a consistency proof']],
  }],
])

/** How a command is called. */
function formOf(name, { least, parameters }) {
  return [name, ...parameters.map(([parameter], at) => (at < least ? parameter : `[${parameter}]`))].join(' ')
}

function failed(status, message) {
  process.stderr.write(`${message}\n`)
  process.exitCode = status
}

/** Which arguments look like something else than they should be, in words. */
function mistaken(parameters, values) {
  return values.flatMap((value, at) => {
    const [parameter, wanted] = parameters[at]
    const kind = kindOf(value)
    return kind === undefined || kind === wanted ? [] : [`${parameter} is ${wanted}, and ${value} looks like ${kind}`]
  })
}

async function main(name, values) {
  const command = COMMANDS.get(name)
  if (command === undefined || values.length < command.least || values.length > command.parameters.length) {
    const forms = [...COMMANDS].map(([each, one]) => formOf(each, one))
    return failed(2, `usage: node verify.mjs ${forms.join(' | ')}`)
  }
  const mistakes = mistaken(command.parameters, values)
  if (mistakes.length > 0) return failed(2, `usage: node verify.mjs ${formOf(name, command)}: ${mistakes.join('; ')}`)
  try {
    print(await command.run(...values))
  } catch (error) {
    if (error instanceof Unsupported) return failed(2, error.message)
    if (!(error instanceof Refused)) throw error
    failed(1, `refused: ${error.message}`)
  }
}

process.removeAllListeners('warning') // some versions of Node call Ed25519 in WebCrypto experimental, on standard error
const [name, ...values] = process.argv.slice(2)
await main(name, values)
