// Entries in their form, the keys of a log, and what was burned (docs/formats.md, section 5).

import { checkCommand, EDITION, EXPIRED_ROWS_MAX, fieldNames, isAmount, isHeader, linesOf } from './commands.mjs'
import { ED25519, parseVkey, readNote, readVkey, verifySignature } from './notes.mjs'
import { canonicalJson, hex, Refused, require } from './encoding.mjs'
import { Settlements } from './settlements.mjs'
import { ENTRY_SIZE_MAX } from './tree.mjs'

/** An instant in microseconds since 1970. */
function microseconds(instant) {
  return BigInt(Date.parse(`${instant.slice(0, 23)}Z`)) * 1_000n + BigInt(instant.slice(23, 26))
}

/** `{header, command, note}` of an entry's bytes; nothing is verified. */
export function readEntry(data) {
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
async function newerEdition(data, origin) {
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

/** The keys that a command brings, `[[vkey, purpose], ...]`: each of them signs it. `replaced`: whose place one takes. */
function broughtBy({ kind, keys, meter_keys: meters = [], read_keys: readers = [], vkey, purpose }, replaced) {
  if (kind === 'key.add/1') return [[vkey, purpose]]
  if (kind === 'key.rotate/1') return [[vkey, replaced.purpose]]
  if (kind !== 'party.admit/1') return []
  const lists = { sign: keys, meter: meters, read: readers }
  return Object.entries(lists).flatMap(([of, vkeys]) => vkeys.map((one) => [one, of]))
}

const METERED = new Set(['time.burn/1', 'service.burn/1', 'burn.reverse/1'])
const UNDER_QUORUM = new Set(fieldNames(
  'rules.adopt/1 party.admit/1 party.amend/1 party.reinstate/1 key.add/1 key.revoke/1 programme.open/1 programme.amend/1 provider.accredit/1 mandate.give/1 voucher.import/1',
))

/** Whether a party's quorum signs a command; a withdrawal is signed as what it withdraws. */
function isUnderQuorum({ kind, record }) {
  return UNDER_QUORUM.has(kind) || (kind === 'record.withdraw/1' && ['accreditation', 'party'].includes(record.type))
}

/** Follows a log from its first entry on: form, order, who signed; and adds up what was burned. */
export class LogReader {
  totals = { burn_lines_accepted: 0, burn_lines_refused: 0, gpu_milliseconds_burned: 0n, gpu_milliseconds_refused: 0n }
  newerEdition // of rules that this program doesn't know, if the log was founded by such or adopts them
  newerFrom = 0 // the first entry by them; from there on no entry is read
  #origin
  #at = ''
  #keys = new Map() // label -> {key, party, purpose, activeFrom, revoked, compromised}
  #publicKeys = new Set()
  #quorums = new Map() // party -> how many of its keys must sign what is under a quorum; of the network, anything
  #network
  #contracts = new Map() // contract -> its two sides, [holder, provider]
  #settlements = new Settlements()
  #takeover = 0n // microseconds until a key counts that another party added
  #logKeys // the newest change of the log's key: {old, next, until}, both of them keys, and until when both sign

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

  /** The entry; or undefined of one that adopts rules that this program doesn't know. */
  async #readOrAdopt(data, index) {
    try {
      return readEntry(data)
    } catch (error) {
      if (index > 0 && error instanceof Refused) await this.#adopt(data, index)
      if (this.newerEdition === undefined) throw error
      return undefined
    }
  }

  /** Notes that the log goes on by rules that this program doesn't know, if an entry adopts such and the root quorum signed. */
  async #adopt(data, index) {
    const { header, note, command } = commandOf(data) ?? {}
    const { kind, log, edition } = command ?? {}
    const isAdoption = typeof kind === 'string' && kind.startsWith('rules.adopt/') && log === this.#origin
    if (!isAdoption || !isAmount(edition) || edition === EDITION || header.index !== index) return
    const signers = new Set()
    for (const { label, signature } of note.lines) {
      const known = this.#keys.get(label)
      if (known?.party !== this.#network || known.revoked || known.purpose !== 'sign') continue
      await verifySignature(known.key, note.text, signature)
      signers.add(label)
    }
    if (signers.size < this.#quorums.get(this.#network)) return
    this.newerEdition = edition
    this.newerFrom = index + 1
  }

  async #take({ header, command, note }, index) {
    require(header.index === index, `it says that it is entry ${header.index}`)
    require(header.at >= this.#at, 'its time lies before that of the entry before')
    require(command.log === this.#origin, 'its command is for another log')
    require((index === 0) === (command.kind === 'network.found/1'), 'a network is founded by entry 0 and no other')
    if (index === 0) {
      this.#network = command.party
      this.#takeover = BigInt(command.takeover_seconds) * 1_000_000n
      this.#quorums.set(command.party, command.root_quorum)
      await this.#addKeys(command.root_keys.map((vkey) => [vkey, 'sign']), command.party, 0n)
    }
    const replaced = command.kind === 'key.rotate/1' ? this.#activeKey(command.key, command.party) : undefined
    const brought = broughtBy(command, replaced)
    const now = microseconds(header.at)
    const waits = command.kind === 'key.add/1' && command.subject !== command.party
    const activeFrom = waits ? now + this.#takeover : now
    await this.#addKeys(brought, command.admitted ?? command.subject ?? command.party, activeFrom)
    if (command.kind === 'log.rekey/1') await this.#rekey(command, now)
    const signing = [...brought.map(([vkey]) => vkey), ...(command.kind === 'log.rekey/1' ? [command.new_vkey] : [])]
    await this.#checkSignatures(command, now, note, new Set(signing.map((vkey) => parseVkey(vkey).label)))
    if (command.kind === 'party.admit/1') this.#quorums.set(command.admitted, command.quorum ?? 1)
    if (command.kind === 'party.amend/1') this.#quorums.set(command.party, command.quorum ?? 1)
    if (replaced) replaced.revoked = true
    if (command.kind === 'key.revoke/1') this.#revoke(command)
    if (command.kind === 'record.withdraw/1' && command.record.type === 'party') this.#withdraw(command.record.party)
    if (command.kind === 'checkpoint.record/1') await readVkey(command.log_vkey)
    if (command.kind === 'contract.sign/1') this.#contracts.set(command.contract, [command.holder, command.provider])
    this.#settlements.take(command, header.outcome)
    if (command.kind === 'time.burn/1') this.#addBurned(linesOf(command.groups), header.outcome.refused)
    this.#at = header.at
  }

  async #addKeys(brought, party, activeFrom) {
    require(brought.length <= 16, `${party} gets ${brought.length} keys at once`)
    for (const [vkey, purpose] of brought) {
      const key = await readVkey(vkey)
      const text = hex(key.publicKey)
      require(key.name.startsWith(`${party}/`), `the key ${key.label} is not named after ${party}`)
      require(!this.#keys.has(key.label) && !this.#publicKeys.has(text), `the key ${key.label} was added before`)
      this.#keys.set(key.label, { key, party, purpose, activeFrom, revoked: false, compromised: false })
      this.#publicKeys.add(text)
    }
  }

  /** Notes that the key of the log changes: from its newest one to one that nobody had before. */
  async #rekey({ old_vkey: oldVkey, new_vkey: nextVkey, overlap_seconds: overlap }, now) {
    const [old, next] = [await readVkey(oldVkey), await readVkey(nextVkey)]
    const before = this.#logKeys
    require(before === undefined || before.next.label === old.label, `the log's key is not ${old.label}`)
    require(before === undefined || now >= before.until, "the log's key is being changed already")
    this.#publicKeys.add(hex(old.publicKey))
    require(!this.#publicKeys.has(hex(next.publicKey)), `the key ${next.label} was added before`)
    this.#publicKeys.add(hex(next.publicKey))
    this.#logKeys = { old, next, until: now + BigInt(overlap) * 1_000_000n }
  }

  /** The keys that sign the checkpoint over the entries so far, if these name any. */
  logKeys() {
    if (this.#logKeys === undefined) return []
    const { old, next, until } = this.#logKeys
    return microseconds(this.#at) < until ? [old, next] : [next]
  }

  /** The key that a command names, which must be the party's and not revoked. */
  #activeKey(label, party) {
    const known = this.#keys.get(label)
    require(known?.party === party && !known.revoked, `${party} has no key ${label} to revoke`)
    return known
  }

  /** Revokes all keys of a party that was admitted by mistake. */
  #withdraw(party) {
    for (const known of this.#keys.values()) {
      if (known.party === party) known.revoked = true
    }
  }

  /** Revokes a key, or says of a revoked one, once, that it was compromised. */
  #revoke({ key, subject, cause }) {
    const known = this.#keys.get(key)
    const isSaidLater = known?.party === subject && cause === 'compromised' && !known.compromised
    const revoked = isSaidLater ? known : this.#activeKey(key, subject)
    revoked.revoked = true
    revoked.compromised = cause === 'compromised'
  }

  async #checkSignatures(command, now, note, brought) {
    const replaced = command.kind === 'key.rotate/1' ? command.key : undefined
    const counts = new Map() // party -> signatures by its keys, but for those that the command brings
    for (const { label, signature } of note.lines) {
      const known = this.#keys.get(label) ?? this.#offered(command, label)
      require(known && !known.revoked, `it is signed by ${label}, which is no key of the log then`)
      await verifySignature(known.key, note.text, signature)
      if (brought.has(label)) continue
      require(now >= known.activeFrom, `it is signed by ${label}, which another party added and which isn't active yet`)
      const maySign = known.purpose === 'sign' || (known.purpose === 'meter' && METERED.has(command.kind))
      require(maySign || label === replaced, `it is signed by ${label}, which is a ${known.purpose} key`)
      counts.set(known.party, (counts.get(known.party) ?? 0) + 1)
    }
    for (const [party, needed] of this.#needed(command, now)) {
      const count = counts.get(party) ?? 0
      require(count >= needed, `it has ${count} of ${needed} signatures by ${party}`)
    }
    const signs = (label) => note.lines.some((line) => line.label === label)
    require(replaced === undefined || signs(replaced), `the key ${replaced} that is replaced has not signed`)
    for (const added of brought) {
      require(signs(added), `the new key ${added} has not signed`)
    }
  }

  /** The next key of the log, where the command names it: it is no party's. */
  #offered({ kind }, label) {
    return kind === 'log.rekey/1' && label === this.#logKeys.next.label ? { key: this.#logKeys.next } : undefined
  }

  /** How many signatures of whom: `[[party, number], ...]`. */
  #needed(command, now) {
    const { party, kind, subject } = command
    const network = [this.#network, this.#quorums.get(this.#network)]
    if (party === this.#network) return [network]
    const own = [party, isUnderQuorum(command) && !this.#isInTakeover(command, now) ? (this.#quorums.get(party) ?? 1) : 1]
    if (kind === 'key.add/1' && subject !== party) return [own, network]
    return [own, ...this.#sides(command).map((side) => [side, 1])]
  }

  /** Who signs beside the party, because the command is about a contract: its sides. */
  #sides({ kind, contract, holder, provider }) {
    if (kind === 'contract.sign/1') return [holder, provider]
    if (kind !== 'contract.amend/1') return []
    return this.#contracts.get(contract) ?? require(false, `there is no contract ${contract}`)
  }

  /** Whether a party revokes a key of its own that another party added and that isn't active yet: one key does. */
  #isInTakeover({ kind, party, subject, key }, now) {
    const known = kind === 'key.revoke/1' && subject === party ? this.#keys.get(key) : undefined
    return known?.party === party && now < known.activeFrom
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
