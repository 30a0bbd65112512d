// Commands and entries in their form, the keys of a log, and what was burned (docs/formats.md, sections 4 and 5).

import { ED25519, parseVkey, readNote, readVkey, verifySignature } from './notes.mjs'
import { canonicalJson, hex, Refused, require } from './encoding.mjs'
import { ENTRY_SIZE_MAX } from './tree.mjs'

const NAME = '[a-z0-9][a-z0-9-]{0,62}'
const KEY_NAME = `${NAME}/[a-z0-9][a-z0-9-]{0,30}`
const OWNED = text(`${NAME}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}`)
const DOCUMENT = text('[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,127}')
const PARTY = text(NAME)
const ITEM = text('[a-z0-9][a-z0-9._-]{0,62}')
const WORDS = text('[^\\x00-\\x1f\\x7f-\\x9f]{1,200}')
const EDITION = 1
const HEX = text('[0-9a-f]{64}')
const FEN = integer(1, Number.MAX_SAFE_INTEGER)
const FEN_OR_ZERO = integer(0, Number.MAX_SAFE_INTEGER)

function text(pattern) {
  const whole = new RegExp(`^(?:${pattern})$`, 'u')
  return (value) => typeof value === 'string' && whole.test(value)
}

function integer(least, most) {
  return (value) => Number.isInteger(value) && value >= least && value <= most
}

function oneOf(...values) {
  return (value) => values.includes(value)
}

function listOf(fits, least, most) {
  return (value) => Array.isArray(value) && value.length >= least && value.length <= most && value.every(fits)
}

/** Whether there is such a date, and the year is in bounds; JavaScript would make 1 March of 29 February. */
function isDate(year, month, day, firstYear) {
  const days = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return year >= firstYear && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1]
}

function isInstant(value) {
  const parts = typeof value === 'string' && /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{6}Z$/.exec(value)
  if (!parts || value.length !== 27) return false
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number)
  return isDate(year, month, day, 1970) && hour < 24 && minute < 60 && second < 60
}

function isDay(value) {
  const parts = typeof value === 'string' && value.length === 10 && /^(\d{4})-(\d\d)-(\d\d)$/.exec(value)
  return Boolean(parts) && isDate(...parts.slice(1).map(Number), 1)
}

function isVkey(value) {
  if (!text(`${KEY_NAME}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]+`)(value) || value.length > 400) return false
  return parseVkey(value).type === ED25519
}

/** Whether an object has exactly these fields, each as it should be; one marked ? may be missing. */
function hasFields(object, names, forms) {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return false
  const known = names.map((name) => name.replace('?', ''))
  const there = (name) => Object.hasOwn(object, name)
  return (
    Object.keys(object).every((name) => known.includes(name)) &&
    names.every((name) => name.endsWith('?') || there(name)) &&
    known.every((name) => !there(name) || forms[name](object[name]))
  )
}

const fieldNames = (names) => names.split(' ').filter((name) => name !== '')

const FORMS = Object.assign(Object.create(null), {
  log: text('[!-*,-~]{1,255}'),
  currency: oneOf('CNY'),
  role: oneOf('treasury', 'provider', 'auditor', 'operator', 'attester', 'holder'),
  origin: oneOf('domestic', 'foreign'),
  voucher_kind: oneOf('compute', 'training', 'model', 'corpus'),
  transfer: oneOf('forbidden', 'approved', 'open'),
  payee: oneOf('provider', 'holder'),
  if_short: oneOf('drain'),
  maker: oneOf(true),
  related_party: oneOf(true, false),
  declarations: (value) => hasFields(value, ['related_party', 'other_support_fen'], FORMS),
  edition: oneOf(EDITION),
  rounding_fen: oneOf(1, 100),
  uscc: text('[0-9A-Z]{18}'),
  vkey: isVkey,
  key: text(`${KEY_NAME}\\+[0-9a-f]{8}`),
  root_keys: listOf(isVkey, 1, 16),
  keys: listOf(isVkey, 1, 16),
  items: listOf(ITEM, 0, 64),
  item: ITEM,
  unit: oneOf('gpu_time', 'count'),
  meter_keys: listOf(isVkey, 1, 16),
  read_keys: listOf(isVkey, 1, 16),
  cause: oneOf('superseded', 'ceased', 'compromised'),
  purpose: oneOf('sign', 'meter', 'read'),
  validity_days: integer(1, 3_660),
  fiscal_year: integer(2000, 2999),
  line: integer(0, 999),
  seconds: integer(1, 31_622_400),
  clock_skew_seconds: integer(0, 3_600),
  freshness_seconds: integer(60, 31_622_400),
  burn_window_seconds: integer(86_400, 31_622_400),
  release_grace_seconds: integer(0, 31_622_400),
  tariff_notice_seconds: integer(0, 7_776_000),
  sealing_grace_seconds: integer(0, 7_776_000),
  member_of: text('[!-*,-~]{1,255}'),
  checkpoint: (value) => typeof value === 'string' && [...value].length >= 1 && [...value].length <= 16_384,
  log_vkey: (value) => typeof value === 'string' && value.length <= 400 && parseVkey(value).type === ED25519,
  record: isRecord,
  utc_offset_seconds: integer(-50_400, 50_400),
  closes_at: (value) => isInstant(value) && value < '3000',
  evidence_sha256: HEX,
  lines: listOf(isLine, 1, 1_000),
  window_days: integer(1, 366),
  installed: integer(1, 1_000_000),
  capacity: isCapacity,
  officers: (value) => hasFields(value, ['threshold_fen', 'required', 'window_days'], FORMS),
  corrects: (value) => hasFields(value, ['statement', 'line'], FORMS),
})
for (const [names, form] of [
  ['party admitted subject provider holder to', PARTY],
  ['programme application voucher into reservation claim seal', OWNED],
  ['ref job statement', DOCUMENT],
  ['name counted filing reason payment_reference', WORDS],
  ['signed_at opens_at valid_from valid_until until since from', isInstant],
  ['first_day last_day', isDay],
  ['face_fen amount_fen envelope_fen holder_cap_fen', FEN],
  ['holder_floor_fen threshold_fen other_support_fen', FEN_OR_ZERO],
  ['holder_class', text('[a-z0-9][a-z0-9_-]{0,62}')],
  ['price_fen_per_gpu_hour gpu_milli', integer(1, 10_000_000)],
  ['share_bp_domestic share_bp_foreign', integer(0, 10_000)],
  ['root_quorum', integer(1, 16)],
  ['quorum required', integer(2, 16)],
]) {
  for (const name of fieldNames(names)) FORMS[name] = form
}

const LINE = fieldNames('reservation job item gpu_milli from to seconds evidence_sha256? if_short? corrects?')
const LINE_FORMS = Object.assign(Object.create(null), FORMS, { to: isInstant })

function isLine(value) {
  return hasFields(value, LINE, LINE_FORMS)
}

const RECORDS = {
  tariff: fieldNames('type item valid_from'),
  capacity: fieldNames('type first_day'),
  accreditation: fieldNames('type programme provider valid_from'),
}

/** Each item once, in the order of their ids (which are ASCII, so that JavaScript sorts them by their bytes). */
function isCapacity(value) {
  const isInstalled = (one) => hasFields(one, ['installed', 'item'], FORMS)
  return listOf(isInstalled, 0, 64)(value) && value.every(({ item }, at) => at === 0 || value[at - 1].item < item)
}

function isRecord(value) {
  const names = Object.hasOwn(RECORDS, value?.type) && RECORDS[value.type]
  return Boolean(names) && hasFields(value, names, { ...FORMS, type: oneOf(value.type) })
}

const returned = { returned_fen: FEN_OR_ZERO }
const amounts = listOf(FEN_OR_ZERO, 1, 1_000)
const isRefusal = (pair) => Array.isArray(pair) && pair.length === 2 && FORMS.line(pair[0]) && text('[a-z_]+')(pair[1])

/** command -> event, fields beside the common ones, outcome's forms */
const COMMANDS = new Map([
  ['network.found/1', ['network.founded/1', 'edition name currency root_keys root_quorum clock_skew_seconds freshness_seconds burn_window_seconds release_grace_seconds tariff_notice_seconds sealing_grace_seconds utc_offset_seconds member_of?']],
  ['checkpoint.record/1', ['checkpoint.recorded/1', 'checkpoint log_vkey']],
  ['rules.adopt/1', ['rules.adopted/1', 'edition']],
  ['party.admit/1', ['party.admitted/1', 'admitted role name keys meter_keys? read_keys? uscc? maker? quorum? officers?']],
  ['party.amend/1', ['party.amended/1', 'name quorum? officers?']],
  ['party.suspend/1', ['party.suspended/1', 'subject reason']],
  ['party.reinstate/1', ['party.reinstated/1', 'subject reason']],
  ['key.add/1', ['key.added/1', 'subject vkey purpose']],
  ['key.revoke/1', ['key.revoked/1', 'subject key cause since? reason']],
  ['item.register/1', ['item.registered/1', 'item name unit counted? origin? filing?']],
  ['programme.open/1', ['programme.opened/1', 'programme name voucher_kind fiscal_year envelope_fen opens_at closes_at share_bp_domestic share_bp_foreign holder_floor_fen holder_cap_fen validity_days items transfer payee rounding_fen']],
  ['programme.close/1', ['programme.closed/1', 'programme reason']],
  ['provider.accredit/1', ['provider.accredited/1', 'programme provider valid_from']],
  ['provider.delist/1', ['provider.delisted/1', 'programme provider valid_until reason']],
  ['tariff.publish/1', ['tariff.published/1', 'item price_fen_per_gpu_hour valid_from']],
  ['capacity.declare/1', ['capacity.declared/1', 'capacity first_day']],
  ['record.withdraw/1', ['record.withdrawn/1', 'record']],
  ['application.file/1', ['application.filed/1', 'application programme amount_fen holder_class? declarations evidence_sha256']],
  ['application.withdraw/1', ['application.withdrawn/1', 'application']],
  ['voucher.issue/1', ['voucher.issued/1', 'voucher programme holder face_fen valid_from evidence_sha256?', { valid_until: isInstant }]],
  ['voucher.transfer/1', ['voucher.transferred/1', 'voucher into to amount_fen']],
  ['voucher.suspend/1', ['voucher.suspended/1', 'voucher reason']],
  ['voucher.resume/1', ['voucher.resumed/1', 'voucher reason']],
  ['voucher.revoke/1', ['voucher.revoked/1', 'voucher reason', returned]],
  ['voucher.lapse/1', ['voucher.lapsed/1', 'voucher', returned]],
  ['voucher.reserve/1', ['voucher.reserved/1', 'reservation voucher provider amount_fen until']],
  ['reservation.release/1', ['reservation.released/1', 'reservation', { released_fen: FEN_OR_ZERO, to: oneOf('voucher', 'programme') }]],
  ['time.burn/1', ['time.burned/1', 'holder lines', { fee_fen: amounts, from_voucher_fen: amounts, refused: listOf(isRefusal, 0, 1_000) }]],
  ['burn.reverse/1', ['burn.reversed/1', 'statement line reason', { ...returned, to: oneOf('reservation', 'voucher', 'programme') }]],
  ['redemption.claim/1', ['redemption.claimed/1', 'claim programme first_day last_day evidence_sha256?', { amount_fen: FEN_OR_ZERO }]],
  ['redemption.pay/1', ['redemption.paid/1', 'claim amount_fen payment_reference']],
  ['redemption.reject/1', ['redemption.rejected/1', 'claim reason']],
  ['book.seal/1', ['book.sealed/1', 'seal last_day', { accounts: FEN_OR_ZERO, root: HEX }]],
])
const COMMON = ['kind', 'log', 'party', 'ref', 'signed_at']

/** `{header, command, note}` of an entry's bytes; nothing is verified. */
export function readEntry(data) {
  require(data.length <= ENTRY_SIZE_MAX, 'it is too large')
  const end = data.indexOf(0x0a)
  require(end >= 0, 'it has no header line')
  const header = canonicalJson(data.subarray(0, end), 'the header')
  const note = readNote(data.subarray(end + 1))
  const command = canonicalJson(note.text.subarray(0, -1), 'the command')
  const [event, names, outcomeForms = {}] = COMMANDS.get(command?.kind) ?? require(false, 'its command is unknown')
  const commandForms = { ...FORMS, kind: oneOf(command.kind) }
  require(hasFields(command, [...COMMON, ...fieldNames(names)], commandForms), 'its command has not the form of its kind')
  const outcomeFits = (outcome) => hasFields(outcome, Object.keys(outcomeForms), outcomeForms)
  const headerForms = { at: isInstant, index: FEN_OR_ZERO, kind: oneOf(event), outcome: outcomeFits }
  require(hasFields(header, Object.keys(headerForms), headerForms), 'its header or outcome has not the form of its kind')
  if (event === 'time.burned/1') checkLines(command.lines, header.outcome)
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
  if (!isFounding || !FEN(edition) || edition === EDITION || !FEN(quorum) || !Array.isArray(vkeys)) return undefined
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

function checkLines(lines, { fee_fen: fees, from_voucher_fen: shares, refused }) {
  require(fees.length === lines.length && shares.length === lines.length, 'its outcome is of more or fewer lines')
  refused.forEach(([line], at) => {
    require(line < lines.length && (at === 0 || line > refused[at - 1][0]), 'its refused lines are out of order')
    require(fees[line] === 0 && shares[line] === 0, 'a refused line has an amount')
  })
}

/** The keys that a command brings, `[[vkey, purpose], ...]`: each of them signs it. */
function broughtBy({ kind, keys, meter_keys: meters = [], read_keys: readers = [], vkey, purpose }) {
  if (kind === 'key.add/1') return [[vkey, purpose]]
  if (kind !== 'party.admit/1') return []
  const lists = { sign: keys, meter: meters, read: readers }
  return Object.entries(lists).flatMap(([of, vkeys]) => vkeys.map((one) => [one, of]))
}

const METERED = new Set(['time.burn/1', 'burn.reverse/1'])
const UNDER_QUORUM = new Set(fieldNames(
  'rules.adopt/1 party.admit/1 party.amend/1 party.reinstate/1 key.add/1 key.revoke/1 programme.open/1 programme.close/1 provider.accredit/1',
))

/** Whether a party's quorum signs a command; a withdrawal is signed as what it withdraws. */
function isUnderQuorum({ kind, record }) {
  return UNDER_QUORUM.has(kind) || (kind === 'record.withdraw/1' && record.type === 'accreditation')
}

/** Follows a log from its first entry on: form, order, who signed; and adds up what was burned. */
export class LogReader {
  totals = { burn_lines_accepted: 0, burn_lines_refused: 0, gpu_milliseconds_burned: 0n, gpu_milliseconds_refused: 0n }
  newerEdition // of rules that this program doesn't know, if the log was founded by such or adopts them
  newerFrom = 0 // the first entry by them; from there on no entry is read
  #origin
  #at = ''
  #keys = new Map() // label -> {key, party, purpose, revoked}
  #publicKeys = new Set()
  #quorums = new Map() // party -> how many of its keys must sign what is under a quorum; of the network, anything
  #network

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
    if (!isAdoption || !FEN(edition) || edition === EDITION || header.index !== index) return
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
      this.#quorums.set(command.party, command.root_quorum)
      await this.#addKeys(command.root_keys.map((vkey) => [vkey, 'sign']), command.party)
    }
    const brought = broughtBy(command)
    await this.#addKeys(brought, command.admitted ?? command.subject)
    await this.#checkSignatures(command, note, new Set(brought.map(([vkey]) => parseVkey(vkey).label)))
    if (command.kind === 'party.admit/1') this.#quorums.set(command.admitted, command.quorum ?? 1)
    if (command.kind === 'party.amend/1') this.#quorums.set(command.party, command.quorum ?? 1)
    if (command.kind === 'key.revoke/1') this.#revoke(command)
    if (command.kind === 'time.burn/1') this.#addBurned(command.lines, header.outcome.refused)
    this.#at = header.at
  }

  async #addKeys(brought, party) {
    require(brought.length <= 16, `${party} gets ${brought.length} keys at once`)
    for (const [vkey, purpose] of brought) {
      const key = await readVkey(vkey)
      const text = hex(key.publicKey)
      require(key.name.startsWith(`${party}/`), `the key ${key.label} is not named after ${party}`)
      require(!this.#keys.has(key.label) && !this.#publicKeys.has(text), `the key ${key.label} was added before`)
      this.#keys.set(key.label, { key, party, purpose, revoked: false })
      this.#publicKeys.add(text)
    }
  }

  #revoke(command) {
    const known = this.#keys.get(command.key)
    require(known?.party === command.subject && !known.revoked, `there is no key ${command.key} to revoke`)
    known.revoked = true
  }

  async #checkSignatures(command, note, brought) {
    const counts = new Map() // party -> signatures by its keys, but for those that the command brings
    for (const { label, signature } of note.lines) {
      const known = this.#keys.get(label)
      require(known && !known.revoked, `it is signed by ${label}, which is no key of the log then`)
      await verifySignature(known.key, note.text, signature)
      if (brought.has(label)) continue
      const isMeters = known.purpose === 'meter' && METERED.has(command.kind)
      require(known.purpose === 'sign' || isMeters, `it is signed by ${label}, which is a ${known.purpose} key`)
      counts.set(known.party, (counts.get(known.party) ?? 0) + 1)
    }
    for (const [party, needed] of this.#needed(command)) {
      const count = counts.get(party) ?? 0
      require(count >= needed, `it has ${count} of ${needed} signatures by ${party}`)
    }
    for (const added of brought) {
      require(note.lines.some(({ label }) => label === added), `the new key ${added} has not signed`)
    }
  }

  /** How many signatures of whom: `[[party, number], ...]`. */
  #needed(command) {
    const { party, kind, subject } = command
    const network = [this.#network, this.#quorums.get(this.#network)]
    if (party === this.#network) return [network]
    const own = [party, isUnderQuorum(command) ? (this.#quorums.get(party) ?? 1) : 1]
    return kind === 'key.add/1' && subject !== party ? [own, network] : [own]
  }

  #addBurned(lines, refused) {
    const refusedLines = new Set(refused.map(([line]) => line))
    lines.forEach((line, at) => {
      const time = BigInt(line.gpu_milli) * BigInt(line.seconds)
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
