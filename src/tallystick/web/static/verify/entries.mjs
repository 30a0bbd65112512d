// Entries in their form, the edition of their rules, and what was burned (docs/formats.md, section 5).

import { checkCommand, EDITION, EXPIRED_ROWS_MAX, isAmount, isHeader, linesOf } from './commands.mjs'
import { ED25519, readNote, readVkey, verifySignature } from './notes.mjs'
import { canonicalJson, coded, hex, Refused, require, Unsupported } from './encoding.mjs'
import { KeyRing } from './keys.mjs'
import { Settlements } from './settlements.mjs'
import { ENTRY_SIZE_MAX } from './tree.mjs'

/** `{header, command, note}` of an entry's bytes; nothing is verified. */
export const readEntry = (data) => coded('entry_malformed', () => entryOf(data))

function entryOf(data) {
  require(data.length <= ENTRY_SIZE_MAX, 'it is too large')
  const end = data.indexOf(0x0a)
  require(end >= 0, 'it has no header line')
  const header = canonicalJson(data.subarray(0, end), 'the header')
  const note = readNote(data.subarray(end + 1))
  const command = canonicalJson(note.text.subarray(0, -1), 'the command')
  const form = checkCommand(command)
  require(isHeader(header, form), 'its header or outcome has not the form of its kind')
  checkOutcome(command, header.outcome)
  return { header, command, note }
}

/**
 * The edition of an entry 0 by rules that this program doesn't know, in the form that every edition keeps and signed by
 * its root quorum; else undefined.
 */
export async function newerEdition(data, origin) {
  const { note, command } = commandOf(data) ?? {}
  const { kind, log, edition, root_keys: vkeys, root_quorum: quorum } = command ?? {}
  const isFounding = typeof kind === 'string' && kind.startsWith('network.found/') && log === origin
  if (!isFounding || !isAmount(edition) || edition === EDITION || !isAmount(quorum) || !Array.isArray(vkeys)) return undefined
  const keys = new Map((await Promise.all(vkeys.map((vkey) => readVkey(String(vkey))))).map((key) => [key.label, key]))
  const signers = new Set()
  for (const { label, signature } of note.lines) {
    const key = keys.get(label)
    if (key?.type !== ED25519) continue
    await verifySignature(key, note.text, signature)
    signers.add(hex(key.publicKey))
  }
  return signers.size >= quorum ? edition : undefined
}

/**
 * The edition that entry `index` adopts, if this program doesn't know it, and the entry has the form that every edition
 * keeps and is signed by the network's quorum; else undefined.
 */
export async function adoptedEdition(data, index, origin, keys) {
  const { header, note, command } = commandOf(data) ?? {}
  const { kind, log, edition } = command ?? {}
  const isAdoption = typeof kind === 'string' && kind.startsWith('rules.adopt/') && log === origin
  if (!isAdoption || !isAmount(edition) || edition === EDITION || header.index !== index) return undefined
  return (await keys.isSignedByNetwork(note)) ? edition : undefined
}

/** Says so, if an entry that can't be read founds a network by rules that this program doesn't know, or adopts them. */
export function requireKnownEdition(data) {
  const { kind, log, edition } = commandOf(data)?.command ?? {}
  const isNamed = typeof kind === 'string' && /^(?:network\.found|rules\.adopt)\//.test(kind) && typeof log === 'string'
  if (isNamed && isAmount(edition)) checkEdition(edition)
}

/** Says so, if this program doesn't know the edition. */
export function checkEdition(edition, since = '') {
  if (edition === EDITION) return
  throw new Unsupported(`made by rules edition ${edition}${since}; this program knows edition ${EDITION} alone`, 'edition_unknown')
}

function headerOf(data, end) {
  try {
    return canonicalJson(data.subarray(0, end), 'the header') ?? {}
  } catch (error) {
    if (error instanceof Refused) return {}
    throw error
  }
}

/** The command of an entry of any edition, its note and, where it is one, its header; undefined if it can't be read. */
function commandOf(data) {
  try {
    const end = data.indexOf(0x0a)
    const note = readNote(data.subarray(end + 1))
    return { note, command: canonicalJson(note.text.subarray(0, -1), 'the command'), header: headerOf(data, end) }
  } catch (error) {
    if (error instanceof Refused) return undefined // reading it as an entry says what is wrong
    throw error
  }
}

/** `{header, command, note}` of the entry that a receipt carries, which must say that it stands where it does. */
export function entryIn({ entry, index }) {
  let read
  try {
    read = readEntry(entry)
  } catch (error) {
    requireKnownEdition(entry)
    throw error
  }
  const own = read.header.index
  require(BigInt(own) === index, `the entry calls itself ${own}, and its place in the log is ${index}`, 'proof_invalid')
  return read
}

/** The command of an entry, in its form; undefined if it, or its note, has another. */
export function readCommand(data) {
  const { command } = commandOf(data) ?? {}
  try {
    checkCommand(command)
    return command
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

const isEachOnce = (rows) => new Set(rows.map(([name]) => name)).size === rows.length

/** What an outcome must be beyond its form. */
function checkOutcome(command, outcome) {
  switch (command.kind) {
    case 'time.burn/1':
      return checkLines(linesOf(command.groups).length, command.all_or_nothing, outcome)
    case 'service.burn/1':
      checkLines(1, true, outcome)
      return require(outcome.fee_fen[0] === (command.fee_fen ?? outcome.fee_fen[0]), "its outcome has not the invoice's fee")
    case 'burn.reverse/1':
      return require(isEachOnce(outcome.returned), 'its outcome names a reservation twice')
    case 'book.expire/1':
      return checkExpired(outcome)
  }
}

/** Each once; and more is due only if no more rows fit. */
function checkExpired({ more, rows }) {
  const names = rows.map(([type, name]) => [`${type} ${name}`])
  require(isEachOnce(names), 'its outcome names a reservation, a voucher or a lot twice')
  require(!more || rows.length === EXPIRED_ROWS_MAX, 'more is due, and its rows are not full')
}

function checkLines(count, allOrNothing, { absorbed, fee_fen: fees, paid, refused }) {
  const isOfAll = fees.length === count && paid.every(([, amounts]) => amounts.length === count)
  require(isOfAll, 'its outcome is of more or fewer lines')
  for (const [rows, what] of [[refused, 'refused'], [absorbed, 'absorbing']]) {
    rows.forEach(([line], at) => {
      require(line < count && (at === 0 || line > rows[at - 1][0]), `its ${what} lines are out of order`)
    })
  }
  require(!allOrNothing || refused.length === 0, 'it is all or nothing, and a line is refused')
  require(isEachOnce(paid), 'its outcome names a reservation twice')
  const firsts = paid.map(([, amounts]) => amounts.findIndex((amount) => amount > 0))
  require(firsts.every((line, at) => line >= (firsts[at - 1] ?? 0)), 'its payments are out of order, or of nothing')
  const taken = fees.map((_, line) => paid.reduce((sum, [, amounts]) => sum + BigInt(amounts[line]), 0n))
  for (const [line, amount] of absorbed) taken[line] += BigInt(amount)
  for (const [line] of refused) require(fees[line] === 0 && taken[line] === 0n, 'a refused line has an amount')
  require(fees.every((fee, line) => taken[line] <= BigInt(fee)), 'more is paid of a line than its fee')
}

/** Follows a log from its first entry on: form, order, who signed; and adds up what was burned. */
export class LogReader {
  totals = { burn_lines_accepted: 0, burn_lines_refused: 0, gpu_milliseconds_burned: 0n, gpu_milliseconds_refused: 0n }
  newerEdition // of rules that this program doesn't know, if the log was founded by such or adopts them
  newerFrom = 0 // the first entry by them; from there on no entry is read
  #origin
  #at = ''
  #keys = new KeyRing()
  #settlements = new Settlements()

  constructor(origin) {
    this.#origin = origin
  }

  /** Takes entry `index`, or refuses it. */
  async take(data, index) {
    try {
      if (index === 0) this.newerEdition = await newerEdition(data, this.#origin)
      if (this.newerEdition !== undefined) return
      const entry = await this.#readOrAdopt(data, index)
      if (entry !== undefined) await this.#take(entry, index)
    } catch (error) {
      error.message = `entry ${index}: ${error.message}`
      throw error
    }
  }

  /** The keys that sign the checkpoint over the entries so far, if these name any. */
  logKeys() {
    return this.#keys.logKeys(this.#at)
  }

  /** The entry; or undefined of one that adopts rules that this program doesn't know. */
  async #readOrAdopt(data, index) {
    try {
      return readEntry(data)
    } catch (error) {
      if (index > 0 && error instanceof Refused) this.newerEdition = await adoptedEdition(data, index, this.#origin, this.#keys)
      if (this.newerEdition === undefined) throw error
      this.newerFrom = index + 1
      return undefined
    }
  }

  async #take({ header, command, note }, index) {
    require(header.index === index, `it says that it is entry ${header.index}`)
    require(header.at >= this.#at, 'its time lies before that of the entry before')
    require(command.log === this.#origin, 'its command is for another log')
    require((index === 0) === (command.kind === 'network.found/1'), 'a network is founded by entry 0 and no other')
    await this.#keys.take({ header, command, note })
    if (command.kind === 'checkpoint.record/1') await readVkey(command.log_vkey)
    this.#settlements.take(command, header.outcome)
    if (command.kind === 'time.burn/1') this.#addBurned(linesOf(command.groups), header.outcome.refused)
    this.#at = header.at
  }

  #addBurned(lines, refused) {
    const refusedLines = new Set(refused.map(([line]) => line))
    lines.forEach(([, gpus, , , seconds], at) => {
      const time = BigInt(gpus) * BigInt(seconds)
      if (refusedLines.has(at)) {
        this.totals.burn_lines_refused += 1
        this.totals.gpu_milliseconds_refused += time
      } else {
        this.totals.burn_lines_accepted += 1
        this.totals.gpu_milliseconds_burned += time
      }
    })
  }
}
