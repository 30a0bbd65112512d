// The keys of a log as its entries bring and revoke them, and who must sign what (docs/formats.md, section 5).

import { fieldNames } from './commands.mjs'
import { parseVkey, readVkey, verifySignature } from './notes.mjs'
import { hex, require } from './encoding.mjs'

/** An instant in microseconds since 1970. */
function microseconds(instant) {
  return BigInt(Date.parse(`${instant.slice(0, 23)}Z`)) * 1_000n + BigInt(instant.slice(23, 26))
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


/** Follows the keys of a log, entry by entry: of all of them, or of some, where what others brought is missing. */
export class KeyRing {
  #keys = new Map() // label -> {key, party, purpose, activeFrom, revoked, compromised}
  #publicKeys = new Set()
  #quorums = new Map() // party -> how many of its keys must sign what is under a quorum; of the network, anything
  #network
  #contracts = new Map() // contract -> its two sides, [holder, provider]
  #takeover = 0n // microseconds until a key counts that another party added
  #logKeys // the newest change of the log's key: {old, next, until}, both of them keys, and until when both sign

  get isFounded() {
    return this.#network !== undefined
  }

  /** Takes an entry, or refuses it; of one that is believed only what its command brings. */
  async take({ header, command, note }, isBelieved = false) {
    if (command.kind === 'network.found/1') await this.#found(command, isBelieved)
    const replaced = command.kind === 'key.rotate/1' ? this.#activeKey(command.key, command.party, isBelieved) : undefined
    const brought = broughtBy(command, replaced)
    const now = microseconds(header.at)
    const waits = command.kind === 'key.add/1' && command.subject !== command.party
    const activeFrom = waits ? now + this.#takeover : now
    await this.#addKeys(brought, command.admitted ?? command.subject ?? command.party, activeFrom, isBelieved)
    if (command.kind === 'log.rekey/1') await this.#rekey(command, now, isBelieved)
    const signing = [...brought.map(([vkey]) => vkey), ...(command.kind === 'log.rekey/1' ? [command.new_vkey] : [])]
    if (!isBelieved) await this.#checkSignatures(command, now, note, new Set(signing.map((vkey) => parseVkey(vkey).label)))
    if (command.kind === 'party.admit/1') this.#quorums.set(command.admitted, command.quorum ?? 1)
    if (command.kind === 'party.amend/1') this.#quorums.set(command.party, command.quorum ?? 1)
    if (replaced) replaced.revoked = true
    if (command.kind === 'key.revoke/1') this.#revoke(command, isBelieved)
    if (command.kind === 'record.withdraw/1' && command.record.type === 'party') this.#withdraw(command.record.party)
    if (command.kind === 'contract.sign/1') this.#contracts.set(command.contract, [command.holder, command.provider])
  }

  /** The keys that sign the checkpoint over the entries up to a time, if these name any. */
  logKeys(at) {
    if (this.#logKeys === undefined) return []
    const { old, next, until } = this.#logKeys
    return microseconds(at) < until ? [old, next] : [next]
  }

  /** Whether as many of the network's keys signed a note as its quorum is. */
  async isSignedByNetwork(note) {
    const signers = new Set()
    for (const { label, signature } of note.lines) {
      const known = this.#keys.get(label)
      if (known?.party !== this.#network || known.revoked || known.purpose !== 'sign') continue
      await verifySignature(known.key, note.text, signature)
      signers.add(label)
    }
    return this.isFounded && signers.size >= this.#quorums.get(this.#network)
  }

  async #found(command, isBelieved) {
    this.#network = command.party
    this.#takeover = BigInt(command.takeover_seconds) * 1_000_000n
    this.#quorums.set(command.party, command.root_quorum)
    await this.#addKeys(command.root_keys.map((vkey) => [vkey, 'sign']), command.party, 0n, isBelieved)
  }

  async #addKeys(brought, party, activeFrom, isBelieved) {
    require(isBelieved || brought.length <= 16, `${party} gets ${brought.length} keys at once`, 'decision_refused')
    for (const [vkey, purpose] of brought) {
      const key = await readVkey(vkey)
      const text = hex(key.publicKey)
      const isOwn = isBelieved || key.name.startsWith(`${party}/`)
      require(isOwn, `the key ${key.label} is not named after ${party}`, 'decision_refused')
      const isNew = isBelieved || (!this.#keys.has(key.label) && !this.#publicKeys.has(text))
      require(isNew, `the key ${key.label} was added before`, 'decision_refused')
      this.#keys.set(key.label, { key, party, purpose, activeFrom, revoked: false, compromised: false })
      this.#publicKeys.add(text)
    }
  }

  /** Notes that the key of the log changes: from its newest one to one that nobody had before. */
  async #rekey({ old_vkey: oldVkey, new_vkey: nextVkey, overlap_seconds: overlap }, now, isBelieved) {
    const [old, next] = [await readVkey(oldVkey), await readVkey(nextVkey)]
    const before = isBelieved ? undefined : this.#logKeys
    require(before === undefined || before.next.label === old.label, `the log's key is not ${old.label}`, 'decision_refused')
    require(before === undefined || now >= before.until, "the log's key is being changed already", 'decision_refused')
    this.#publicKeys.add(hex(old.publicKey))
    const isNew = isBelieved || !this.#publicKeys.has(hex(next.publicKey))
    require(isNew, `the key ${next.label} was added before`, 'decision_refused')
    this.#publicKeys.add(hex(next.publicKey))
    this.#logKeys = { old, next, until: now + BigInt(overlap) * 1_000_000n }
  }

  /** The key that a command names, which must be the party's and not revoked. */
  #activeKey(label, party, isBelieved) {
    const known = this.#keys.get(label)
    require(known !== undefined, `${party} has no key ${label} to revoke`, 'dependency_missing')
    const isActive = isBelieved || (known.party === party && !known.revoked)
    require(isActive, `${party} has no key ${label} to revoke`, 'decision_refused')
    return known
  }

  /** Revokes all keys of a party that was admitted by mistake. */
  #withdraw(party) {
    for (const known of this.#keys.values()) {
      if (known.party === party) known.revoked = true
    }
  }

  /** Revokes a key, or says of a revoked one, once, that it was compromised. */
  #revoke({ key, subject, cause }, isBelieved) {
    const known = this.#keys.get(key)
    const isSaidLater = known?.party === subject && cause === 'compromised' && !known.compromised
    const revoked = isSaidLater ? known : this.#activeKey(key, subject, isBelieved)
    revoked.revoked = true
    revoked.compromised = cause === 'compromised'
  }

  /** In the order of docs/rules.md's refusals: of all lines one thing after the other. */
  async #checkSignatures(command, now, note, brought) {
    const lines = note.lines.map(({ label, signature }) => ({ label, signature, known: this.#keys.get(label) ?? this.#offered(command, label) }))
    for (const { label, known } of lines) {
      require(known, `it is signed by ${label}, which is no key of the log then`, 'dependency_missing')
    }
    for (const { signature, known } of lines) await verifySignature(known.key, note.text, signature)
    for (const { label, known } of lines) {
      require(!known.revoked, `it is signed by ${label}, which is no key of the log then`, 'key_revoked')
    }
    const counted = lines.filter(({ label }) => !brought.has(label))
    for (const { label, known } of counted) {
      const isActive = now >= known.activeFrom
      require(isActive, `it is signed by ${label}, which another party added and which isn't active yet`, 'key_not_active_yet')
    }
    const replaced = command.kind === 'key.rotate/1' ? command.key : undefined
    for (const { label, known } of counted) {
      const maySign = known.purpose === 'sign' || (known.purpose === 'meter' && METERED.has(command.kind))
      require(maySign || label === replaced, `it is signed by ${label}, which is a ${known.purpose} key`, 'key_not_for_this_command')
    }
    this.#countSignatures(command, now, counted)
    const signs = (label) => lines.some((line) => line.label === label)
    require(replaced === undefined || signs(replaced), `the key ${replaced} that is replaced has not signed`, 'dependency_missing')
    for (const added of brought) require(signs(added), `the new key ${added} has not signed`, 'dependency_missing')
  }

  #countSignatures(command, now, counted) {
    for (const [party, needed] of this.#needed(command, now)) {
      const count = counted.filter(({ known }) => known.party === party).length
      require(count >= needed, `it has ${count} of ${needed} signatures by ${party}`, 'dependency_missing')
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
    return this.#contracts.get(contract) ?? require(false, `there is no contract ${contract}`, 'dependency_missing')
  }

  /** Whether a party revokes a key of its own that another party added and that isn't active yet: one key does. */
  #isInTakeover({ kind, party, subject, key }, now) {
    const known = kind === 'key.revoke/1' && subject === party ? this.#keys.get(key) : undefined
    return known?.party === party && now < known.activeFrom
  }
}
