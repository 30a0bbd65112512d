// What a dossier proves without the rules (docs/formats.md, section 14): its checkpoint, that each entry is in the log, who
// signed the account's own, and that none of these is left out up to the closing seal. Nothing is decided anew.

import { readLeaf, verifySealed } from './balance.mjs'
import { canonicalJson, concat, fromHex, fromText, hashFromText, hex, Refused, require, sha256 } from './encoding.mjs'
import { adoptedEdition, checkEdition, newerEdition, readCommand, readEntry } from './entries.mjs'
import { Findings } from './findings.mjs'
import { KeyRing } from './keys.mjs'
import { openCheckpoint, readCheckpoint, readNote } from './notes.mjs'
import { ENTRY_SIZE_MAX, leafHash, verifyInclusion } from './tree.mjs'

const FORMAT = 'tallystick-dossier/1'
const LINE_SIZE_MAX = 262_144
const ENTRIES_MAX = 10_000_000
const PATH_MAX = 63
const NO_TOUCHES = `sha256:${'0'.repeat(64)}`
const ALWAYS_SEALED = ['holder', 'programme', 'provider', 'treasury']
const MAY_END = ['contract', 'voucher']
const WITHOUT_LEAF = ['application', 'claim', 'demand']

/** Whether bytes begin as a dossier does. */
export const isDossier = (data) => startsWith(data, '{"account":"')

export function startsWith(data, text) {
  return fromText(text).every((byte, at) => data[at] === byte)
}

function* linesIn(data) {
  let start = 0
  while (start < data.length) {
    const end = data.indexOf(0x0a, start)
    const length = (end < 0 ? data.length : end + 1) - start
    require(length <= LINE_SIZE_MAX, `a line of a dossier has at most ${LINE_SIZE_MAX} bytes`)
    require(end >= 0, 'the dossier is cut off: its last line has no end')
    yield data.subarray(start, end)
    start = end + 1
  }
}

function objectIn(value, what, names) {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  require(isObject && Object.keys(value).sort().join() === names, `${what} in a dossier has ${names}, and nothing else`)
  return value
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0

function countIn(fields, name) {
  require(isCount(fields[name]), `in a dossier, ${name} is a number from 0`)
  return fields[name]
}

function textIn(fields, name) {
  require(typeof fields[name] === 'string', `in a dossier, ${name} is text`)
  return fields[name]
}

function pathIn({ path }) {
  require(Array.isArray(path) && path.length <= PATH_MAX, `a path is a list of at most ${PATH_MAX} hashes`)
  return path.map((value) => hashFromText(typeof value === 'string' ? value : '', 'a hash of a path'))
}

function sealedIn(value, account) {
  const fields = objectIn(value, 'a sealed leaf', 'index,leaf,path,position')
  const bytes = fromText(textIn(fields, 'leaf'))
  const sealed = { bytes, leaf: readLeaf(bytes), index: countIn(fields, 'index'), position: countIn(fields, 'position') }
  require(sealed.leaf.account === account, `the dossier is of ${account}, and a leaf of ${sealed.leaf.account}`)
  return { ...sealed, path: pathIn(fields) }
}

function readHead(line) {
  const value = canonicalJson(line, "a dossier's head", LINE_SIZE_MAX)
  const optional = ['closing', 'opening'].filter((name) => Object.hasOwn(value, name))
  const fields = objectIn(value, "a dossier's head", ['account', 'checkpoint', 'entries', 'format', ...optional].sort().join())
  require(fields.format === FORMAT, `not a dossier of format ${FORMAT}`)
  const account = textIn(fields, 'account')
  const head = { account, note: fromText(textIn(fields, 'checkpoint')), entries: countIn(fields, 'entries') }
  for (const name of optional) head[name] = sealedIn(fields[name], account)
  const { opening, closing } = head
  require(!opening || !closing || opening.index < closing.index, 'the closing seal comes after the opening one')
  require(head.entries <= ENTRIES_MAX, 'a dossier has too many entries')
  return head
}

function readItem(line) {
  const fields = objectIn(canonicalJson(line, 'an entry', LINE_SIZE_MAX), 'an entry', 'entry,index,path,role')
  const isRole = fields.role === 'dependency' || fields.role === 'subject'
  require(isRole, "an entry's role in a dossier is subject or dependency")
  const entry = fromText(textIn(fields, 'entry'))
  require(entry.length >= 1 && entry.length <= ENTRY_SIZE_MAX, 'an entry is empty or too large')
  return { entry, index: countIn(fields, 'index'), isSubject: fields.role === 'subject', path: pathIn(fields) }
}

/**
 * What a dossier's bytes come to under a policy: `{account, checkpoint, opening, closing, entries, entriesLater,
 * dependencies, signatures, balances, book, findings, newerSeal}`.
 *
 * `signatures` are those that were verified; `balances` those of the closing leaf; `newerSeal` the index of a seal after it
 * which the account needn't be in, if it had ended: whether it had, the rules tell.
 */
export async function examineDossier(data, policy) {
  const lines = linesIn(data)
  const { value: first, done } = lines.next()
  require(!done, 'the file is empty')
  const examination = new Examination(readHead(first))
  await examination.open(policy)
  let before = -1
  for (const line of lines) {
    const item = readItem(line)
    require(item.index > before, `a dossier's entries come in order, and ${item.index} comes after ${before}`)
    before = item.index
    await examination.take(item)
  }
  return examination.finish()
}

class Examination {
  #head
  #findings = new Findings()
  #checkpoint
  #keys = new KeyRing()
  #isFollowing = true
  #seals = new Map() // index -> {header, command} of a seal's entry
  #book = []
  #sums = { entries: 0, entriesLater: 0, dependencies: 0, signatures: 0, counted: 0, given: 0 }
  #running = NO_TOUCHES
  #firstEntry
  #firstLater
  #newerSeal

  constructor(head) {
    this.#head = head
    if (head.opening === undefined) return
    this.#running = head.opening.leaf.running_hash
    this.#sums.counted = head.opening.leaf.entries
  }

  async open(policy) {
    const { note } = this.#head
    this.#checkpoint = { ...readCheckpoint(readNote(note).text), signers: [], witnesses: [] }
    try {
      this.#checkpoint = await openCheckpoint(note, policy)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const code = error.code === 'quorum_missing' ? 'checkpoint_quorum_missing' : 'checkpoint_signature_invalid'
      this.#findings.add(code, undefined, error.message)
    }
  }

  async take(item) {
    await this.#count(item)
    const entry = await this.#prove(item)
    if (entry === undefined) {
      this.#isFollowing = false // who may sign after it can't be told
      return
    }
    const { header, command, note } = entry
    if (command.kind === 'book.seal/1') this.#seals.set(item.index, entry)
    if (item.isSubject) {
      const { at, kind } = header
      this.#book.push({ index: item.index, at, kind, party: command.party, ref: command.ref, signed_by: note.lines.map(({ label }) => label) })
    }
    if (this.#isFollowing) await this.#follow(item, entry)
  }

  /** Takes an entry of the account into the running hash. */
  async #count({ index, isSubject }) {
    this.#sums.given += 1
    if (!isSubject) {
      this.#sums.dependencies += 1
      return
    }
    const { account, opening, closing } = this.#head
    if (opening !== undefined && index < opening.index) this.#misdeclared(index, 'it comes before the opening seal')
    const kind = account.split(' ')[0]
    const isKnown = [...ALWAYS_SEALED, ...MAY_END, ...WITHOUT_LEAF].includes(kind)
    if (!isKnown) this.#misdeclared(index, `there is no account ${account}`)
    this.#firstEntry ??= index
    this.#sums.entries += 1
    if (closing === undefined || index > closing.index) {
      this.#sums.entriesLater += 1
      this.#firstLater ??= index
      return
    }
    const place = new DataView(new ArrayBuffer(8))
    place.setBigUint64(0, BigInt(index))
    const hash = await sha256(concat(fromHex(this.#running.slice('sha256:'.length)), new Uint8Array(place.buffer)))
    this.#running = `sha256:${hex(hash)}`
    this.#sums.counted += 1
  }

  #misdeclared(index, detail) {
    this.#findings.add('entry_misdeclared', index, detail)
  }

  /** The entry, if it is proved to be this log's at its index. */
  async #prove({ entry, index, path }) {
    const { origin, size, root } = this.#checkpoint
    const log = readCommand(entry)?.log
    if (log !== undefined && log !== origin) {
      return this.#findings.add('command_for_another_log', index, `it is for ${log}, this is ${origin}`)
    }
    try {
      await verifyInclusion(BigInt(index), size, await leafHash(entry), path, root)
      const read = await this.#read(entry, index)
      if (read.header.index === index) return read
      this.#findings.add('index_differs', index, `it calls itself ${read.header.index}`)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.#findings.add(error.code, index, error.message)
    }
    return undefined
  }

  async #read(entry, index) {
    try {
      return readEntry(entry)
    } catch (error) {
      if (this.#findings.isEmpty) await this.#requireKnownEdition(entry, index)
      throw error
    }
  }

  /** Refuses to go on if an entry, proved to be the log's, names rules that this program doesn't know. */
  async #requireKnownEdition(entry, index) {
    const { origin } = this.#checkpoint
    let edition
    try {
      edition = index === 0 ? await newerEdition(entry, origin) : await adoptedEdition(entry, index, origin, this.#keys)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
    if (edition !== undefined) checkEdition(edition, index === 0 ? '' : ` from entry ${index + 1} on`)
  }

  /** Follows the log's keys by an entry; of one of the account's the signatures are verified. */
  async #follow({ index, isSubject }, entry) {
    if (!this.#keys.isFounded && entry.command.kind !== 'network.found/1') {
      this.#lose(index, 'entry 0, which founds the network, is not here')
      return
    }
    if (isSubject && (await this.#isTaken(index, entry, false))) {
      this.#sums.signatures += entry.note.lines.length
      return
    }
    // What goes on is what is recorded, so that a fault is named once.
    if (!(await this.#isTaken(index, entry, true))) this.#isFollowing = false
  }

  async #isTaken(index, entry, isBelieved) {
    try {
      await this.#keys.take(entry, isBelieved)
      return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.#findings.add(error.code, index, error.message)
      return false
    }
  }

  #lose(index, detail) {
    this.#findings.add('dependency_missing', index, detail)
    this.#isFollowing = false
  }

  async finish() {
    const { account, entries, opening, closing } = this.#head
    for (const sealed of [opening, closing]) if (sealed !== undefined) await this.#checkLeaf(sealed)
    const isCounted = closing === undefined || this.#checkCount(closing)
    const kind = account.split(' ')[0]
    if ((isCounted || ALWAYS_SEALED.includes(kind)) && !WITHOUT_LEAF.includes(kind)) this.#checkNewest(kind)
    const { given, ...sums } = this.#sums
    if (given !== entries) {
      const code = given < entries ? 'entry_left_out' : 'entry_not_counted'
      this.#findings.add(code, undefined, `the dossier is said to hold ${entries} entries, and holds ${given}`)
    }
    return {
      account,
      checkpoint: this.#checkpoint,
      opening: this.#summary(opening),
      closing: this.#summary(closing),
      ...sums,
      balances: closing?.leaf.balances ?? {},
      book: this.#book,
      findings: this.#findings.inOrder(),
      newerSeal: this.#newerSeal,
    }
  }

  #summary(sealed) {
    const found = sealed && this.#seals.get(sealed.index)
    return found && { index: sealed.index, at: found.header.at, seal: found.command.seal, last_day: found.command.last_day }
  }

  /** That a leaf is under the root of the seal that it is given for. */
  async #checkLeaf(sealed) {
    const seal = this.#seals.get(sealed.index)
    if (seal === undefined) return this.#findings.add('seal_unknown', sealed.index)
    if (await isUnder(sealed, seal)) return undefined
    for (const [index, older] of this.#seals) {
      if (index < sealed.index && (await isUnder(sealed, older))) {
        return this.#findings.add('seal_stale', sealed.index, `its leaf is of the older seal at entry ${index}`)
      }
    }
    return this.#findings.add('seal_proof_invalid', sealed.index)
  }

  /** Whether the running hash over the account's entries is the closing leaf's. */
  #checkCount({ leaf }) {
    const { counted } = this.#sums
    if (counted === leaf.entries && this.#running === leaf.running_hash) return true
    const shown = `the seal counts ${leaf.entries} entries of ${leaf.account}, and ${counted} are shown`
    if (counted > leaf.entries) this.#findings.add('entry_not_counted', undefined, shown)
    else this.#findings.add('entry_left_out', undefined, counted < leaf.entries ? shown : `${shown}, but not the same ones`)
    return false
  }

  /** That it doesn't stop proving before it has to, as far as the entries alone tell. */
  #checkNewest(kind) {
    const { opening, closing } = this.#head
    const last = closing ?? opening
    const newest = Math.max(-1, ...this.#seals.keys())
    if (newest < 0 || newest <= (last?.index ?? -1)) return
    if (this.#firstEntry === undefined || this.#firstEntry >= newest) return
    const hasNothingLater = this.#firstLater === undefined || this.#firstLater > newest
    if (closing !== undefined && MAY_END.includes(kind) && hasNothingLater) {
      this.#newerSeal = newest
      return
    }
    const shown = closing === undefined ? 'none' : `entry ${closing.index}`
    this.#findings.add('seal_stale', newest, `it is the newest, and completeness is shown up to ${shown}`)
  }
}

async function isUnder({ bytes, position, path }, { header }) {
  try {
    await verifySealed(bytes, position, path, header.outcome)
    return true
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return false
  }
}
