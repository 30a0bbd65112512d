// The form of commands, and of the outcomes of their events (docs/formats.md, section 4).

import { ED25519, parseVkey } from './notes.mjs'
import { require } from './encoding.mjs'

const NAME = '[a-z0-9][a-z0-9-]{0,62}'
const KEY_NAME = `${NAME}/[a-z0-9][a-z0-9-]{0,30}`
const OWNED_ID = `${NAME}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}`
const OWNED = text(OWNED_ID)
const DOCUMENT = text('[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,127}')
const PARTY = text(NAME)
const ITEM = text('[a-z0-9][a-z0-9._-]{0,62}')
const JOB = text('[a-z0-9][a-z0-9._:/@+=-]{0,127}')
const WORD = text('[a-z0-9][a-z0-9_-]{0,62}')
const WORDS = text('[^\\x00-\\x1f\\x7f-\\x9f]{1,200}')
export const EDITION = 1
const HASH = text('sha256:[0-9a-f]{64}')
const FEN = integer(1, Number.MAX_SAFE_INTEGER)
export const isAmount = FEN
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

/** As many as 64, or another number, in ascending order of what `key` gives, each once. */
function ascending(fits, key, most = 64) {
  const isList = listOf(fits, 1, most)
  return (value) => isList(value) && value.every((one, at) => at === 0 || key(value[at - 1]) < key(one))
}

/** Whether there is such a date, and the year is in bounds; JavaScript would make 1 March of 29 February. */
function isDate(year, month, day, firstYear) {
  const days = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return year >= firstYear && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1]
}

function isInstant(value) {
  return typeof value === 'string' && /\.\d{6}Z$/.test(value) && value.length === 27 && isTime(value)
}

/** Whether a text is a time in whole seconds, which a job's are. */
function isSecond(value) {
  return typeof value === 'string' && /\dZ$/.test(value) && value.length === 20 && isTime(value)
}

function isTime(value) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{6})?Z$/.exec(value)
  if (!parts) return false
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

/** The key of any log, whose name is no party's. */
function isLogVkey(value) {
  if (!text('[^+]+\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]+')(value) || value.length > 400) return false
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

export const fieldNames = (names) => names.split(' ').filter((name) => name !== '')

const FORMS = Object.assign(Object.create(null), {
  log: text('[!-*,-~]{1,255}'),
  currency: oneOf('CNY'),
  role: oneOf('treasury', 'provider', 'auditor', 'operator', 'attester', 'holder'),
  origin: oneOf('domestic', 'foreign'),
  voucher_kind: oneOf('compute', 'training', 'model', 'corpus'),
  transfer: oneOf('forbidden', 'approved', 'open'),
  claimant: oneOf('provider', 'holder', 'either'),
  basis: oneOf('metered', 'invoiced'),
  cycle: oneOf('month', 'quarter', 'any'),
  day_count: oneOf('end_minus_start', 'inclusive'),
  related_party: oneOf(true, false),
  subject_type: oneOf('application', 'claim', 'contract', 'provider', 'holder'),
  kinds: ascending(
    oneOf('redemption.settle/1', 'reservation.release/1', 'voucher.issue/1', 'voucher.resume/1', 'voucher.revoke/1', 'voucher.suspend/1'),
    (one) => one,
    6,
  ),
  quantity: integer(1, 1_000_000_000),
  subject_id: text(`${NAME}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?`),
  verdict: oneOf('pass', 'fail'),
  before: oneOf('issue', 'claim', 'settle'),
  attesters: ascending(PARTY, (one) => one, 16),
  passes: integer(1, 16),
  gates: ascending(isGate, (one) => `${one.before} ${one.subject_type} ${one.topic}`, 16),
  edition: oneOf(EDITION),
  rounding_fen: oneOf(1, 100),
  uscc: text('[0-9A-Z]{18}'),
  vkey: isVkey,
  key: text(`${KEY_NAME}\\+[0-9a-f]{8}`),
  root_keys: listOf(isVkey, 1, 16),
  keys: listOf(isVkey, 1, 16),
  item: ITEM,
  unit: oneOf('gpu_time', 'count'),
  meter_keys: listOf(isVkey, 1, 16),
  read_keys: listOf(isVkey, 1, 16),
  cause: oneOf('superseded', 'ceased', 'compromised'),
  purpose: oneOf('sign', 'meter', 'read'),
  validity_days: integer(1, 3_660),
  fiscal_year: integer(2000, 2999),
  line: integer(0, 999),
  clock_skew_seconds: integer(0, 3_600),
  freshness_seconds: integer(60, 31_622_400),
  burn_window_seconds: integer(86_400, 31_622_400),
  tariff_notice_seconds: integer(0, 7_776_000),
  takeover_seconds: integer(0, 7_776_000),
  sealing_grace_seconds: integer(0, 7_776_000),
  member_of: text('[!-*,-~]{1,255}'),
  checkpoint: (value) => typeof value === 'string' && [...value].length >= 1 && [...value].length <= 16_384,
  installed: integer(1, 1_000_000),
  capacity: (value) => Array.isArray(value) && (value.length === 0 || areInstalled(value)),
  profile_hash: HASH,
  record: isRecord,
  utc_offset_seconds: integer(-50_400, 50_400),
  closes_at: (value) => isInstant(value) && value < '3000',
  rank: integer(0, 1_000),
  cut_off_days: integer(1, 366),
  truncate_fen: integer(1, 100_000_000),
  window_days: integer(1, 366),
  officers: objectOf('threshold_fen required window_days'),
  cap: objectOf('group holder_fen floor_fen'),
  claims: objectOf('cycle cut_off_days'),
  declarations: objectOf('related_party other_support_fen'),
  proration: objectOf('first_day last_day day_count truncate_fen'),
  shares: listOf(objectOf('share_bp ceiling_bp? items? origin? filed? holder_class?', { items: ascending(ITEM, (one) => one) }), 1, 64),
  rules: objectOf('shares ceiling_bp rank cap validity_days transfer payee basis rounding_fen claims proration? gates?', {
    payee: oneOf('provider', 'holder', 'contract'),
    basis: oneOf('metered', 'invoiced', 'both'),
  }),
  groups: isStatement,
  lines: listOf(isRow, 1, 1_000),
  corrects: objectOf('statement line'),
  rows: ascending(isSettledRow, (one) => one.contract, 50),
  offsets: ascending(objectOf('demand amount_fen'), (one) => one.demand, 16),
  payment: objectOf('amount_fen day reference'),
})
for (const [names, form] of [
  ['party admitted subject provider holder operator payee to', PARTY],
  ['programme application contract mandate voucher into reservation claim demand seal', OWNED],
  ['ref statement', DOCUMENT],
  ['group holder_class topic', WORD],
  ['name counted filing batch reason reference', WORDS],
  ['log_vkey old_vkey new_vkey', isLogVkey],
  ['maker filed other_side all_or_nothing pay_available prior_period', oneOf(true)],
  ['evidence_hash evidence_root document_hash', HASH],
  ['signed_at opens_at valid_from valid_until until since', isInstant],
  ['first_day last_day items_from rules_from day', isDay],
  ['face_fen amount_fen envelope_fen holder_fen withheld_fen', FEN],
  ['floor_fen other_support_fen threshold_fen each_fen total_fen used_fen paid_fen', FEN_OR_ZERO],
  ['price_fen price_limit_fen', integer(1, 10_000_000)],
  ['share_bp ceiling_bp', integer(0, 10_000)],
  ['release_grace_seconds overlap_seconds', integer(0, 31_622_400)],
  ['root_quorum', integer(1, 16)],
  ['quorum required', integer(2, 16)],
]) {
  for (const name of fieldNames(names)) FORMS[name] = form
}

const COUNT = integer(1, 10_000_000)
const SECONDS = integer(1, 31_622_400)
const hasOptions = objectOf('corrects? pay_available? prior_period?')
const isGroup = objectOf('item lines evidence_root?')
const hasGate = objectOf('before subject_type topic passes attesters? other_side?')
const hasSettled = objectOf('contract paid_fen withheld_fen? reason?')
const areInstalled = ascending(objectOf('installed item'), (one) => one.item)
const areGroups = ascending(isGroup, (group) => group.item)

/** What a field holds whose object has these fields, of the forms that all commands share or of its own. */
function objectOf(names, own = {}) {
  return (value) => hasFields(value, fieldNames(names), Object.assign(Object.create(null), FORMS, own))
}

/** A gate names its attesters, or says that the contract's other side is the one. */
function isGate(value) {
  return hasGate(value) && Object.hasOwn(value, 'attesters') !== Object.hasOwn(value, 'other_side')
}

/** What becomes of what is claimed under a contract: what is withheld of it has a reason. */
function isSettledRow(value) {
  return hasSettled(value) && Object.hasOwn(value, 'withheld_fen') === Object.hasOwn(value, 'reason')
}

/** A line: job, GPU-thousandths, from, to, seconds, and where there are such its options. */
function isRow(value) {
  if (!Array.isArray(value) || value.length < 5 || value.length > 6) return false
  const [job, gpus, from, to, seconds, options] = value
  const isLine = JOB(job) && COUNT(gpus) && isSecond(from) && isSecond(to) && SECONDS(seconds)
  return isLine && (value.length === 5 || areOptions(options))
}

function areOptions(value) {
  if (!hasOptions(value) || Object.keys(value).length === 0) return false
  return !(Object.hasOwn(value, 'corrects') && Object.hasOwn(value, 'prior_period'))
}

function isStatement(groups) {
  return areGroups(groups) && linesOf(groups).length <= 1_000
}

/** The lines of a statement in the order in which they are counted. */
export function linesOf(groups) {
  return groups.flatMap((group) => group.lines)
}

const has = (command, name) => Object.hasOwn(command, name)
const hasAny = (command, names) => fieldNames(names).some((name) => has(command, name))

/** An amendment says something, and from which day on there are other prices. */
function amendsContract(command) {
  return has(command, 'items') === has(command, 'items_from') && hasAny(command, 'amount_fen last_day items other_support_fen')
}

/** Likewise, and from which day on there are other rules. */
function amendsProgramme(command) {
  return has(command, 'rules') === has(command, 'rules_from') && hasAny(command, 'envelope_fen closes_at rules')
}

/** The keys of a log have its name. */
function areOfTheLog({ log, old_vkey: old, new_vkey: next }) {
  return [old, next].every((vkey) => parseVkey(vkey).name === log)
}

/** A service is a quantity of what is counted, or an invoice; of the first alone it may be said that it is reported late. */
function isCountedOrInvoiced(command) {
  const isInvoiced = has(command, 'document_hash') && has(command, 'fee_fen')
  const isOne = has(command, 'quantity') ? !hasAny(command, 'document_hash fee_fen') : isInvoiced
  return isOne && !(has(command, 'prior_period') && (isInvoiced || has(command, 'corrects')))
}

const RECORDS = {
  tariff: fieldNames('type provider? item valid_from'),
  capacity: fieldNames('type provider? first_day'),
  accreditation: fieldNames('type programme provider valid_from'),
  party: fieldNames('type party'),
}

function isRecord(value) {
  const names = Object.hasOwn(RECORDS, value?.type) && RECORDS[value.type]
  return Boolean(names) && hasFields(value, names, { ...FORMS, type: oneOf(value.type) })
}

const amounts = listOf(FEN_OR_ZERO, 1, 1_000)
const backTo = oneOf('reservation', 'voucher', 'programme')
/** An array of so many values, each of its form. */
const rowOf = (...forms) => (value) => Array.isArray(value) && value.length === forms.length && forms.every((fits, at) => fits(value[at]))
const burned = {
  absorbed: listOf(rowOf(FORMS.line, FEN), 0, 1_000),
  fee_fen: amounts,
  paid: listOf(rowOf(OWNED, amounts), 0, 16),
  refused: listOf(rowOf(FORMS.line, text('[a-z_]+')), 0, 1_000),
}
export const EXPIRED_ROWS_MAX = 180
const LOT = text(`${OWNED_ID} ${OWNED_ID}`)
const EXPIRED_ROWS = {
  reservation: rowOf(oneOf('reservation'), OWNED, FEN_OR_ZERO, oneOf('voucher', 'programme')),
  voucher: rowOf(oneOf('voucher'), OWNED, FEN_OR_ZERO, oneOf('programme')),
  lot: rowOf(oneOf('lot'), LOT, FEN, oneOf('programme')),
}
const isExpiredRow = (value) => Array.isArray(value) && Object.hasOwn(EXPIRED_ROWS, value[0]) && EXPIRED_ROWS[value[0]](value)
const expired = { more: oneOf(true, false), rows: listOf(isExpiredRow, 1, EXPIRED_ROWS_MAX) }
const claimed = { amount_fen: FEN, more: oneOf(true, false), rows: ascending(rowOf(OWNED, FEN), ([contract]) => contract, 50) }
/** Items with a price, each once. */
const priced = (name) => ({ items: ascending(objectOf(`item ${name}`), (one) => one.item) })

/** command -> event, fields beside the common ones, outcome's forms, its own forms of fields, what else it must be */
const COMMANDS = new Map([
  ['network.found/1', ['network.founded/1', 'edition name currency root_keys root_quorum clock_skew_seconds freshness_seconds burn_window_seconds release_grace_seconds tariff_notice_seconds sealing_grace_seconds takeover_seconds utc_offset_seconds member_of?']],
  ['rules.adopt/1', ['rules.adopted/1', 'edition']],
  ['checkpoint.record/1', ['checkpoint.recorded/1', 'checkpoint log_vkey']],
  ['log.rekey/1', ['log.rekeyed/1', 'old_vkey new_vkey overlap_seconds', {}, {}, areOfTheLog]],
  ['party.admit/1', ['party.admitted/1', 'admitted role name? profile_hash? keys meter_keys? read_keys? uscc? maker? quorum? officers?']],
  ['party.amend/1', ['party.amended/1', 'name? profile_hash? quorum? officers?']],
  ['party.suspend/1', ['party.suspended/1', 'subject reason']],
  ['party.reinstate/1', ['party.reinstated/1', 'subject reason']],
  ['key.add/1', ['key.added/1', 'subject vkey purpose']],
  ['key.rotate/1', ['key.rotated/1', 'key vkey']],
  ['key.revoke/1', ['key.revoked/1', 'subject key cause since? reason']],
  ['item.register/1', ['item.registered/1', 'item name unit counted? origin? filing?']],
  ['programme.open/1', ['programme.opened/1', 'programme name voucher_kind fiscal_year envelope_fen opens_at closes_at rules']],
  ['programme.amend/1', ['programme.amended/1', 'programme reason envelope_fen? closes_at? rules? rules_from?', {}, {}, amendsProgramme]],
  ['provider.accredit/1', ['provider.accredited/1', 'programme provider valid_from items batch?', {}, priced('price_limit_fen')]],
  ['provider.delist/1', ['provider.delisted/1', 'programme provider valid_until reason']],
  ['tariff.publish/1', ['tariff.published/1', 'item price_fen valid_from']],
  ['capacity.declare/1', ['capacity.declared/1', 'capacity first_day']],
  ['record.withdraw/1', ['record.withdrawn/1', 'record']],
  ['mandate.give/1', ['mandate.given/1', 'mandate operator kinds programme? each_fen total_fen until']],
  ['mandate.end/1', ['mandate.ended/1', 'mandate reason']],
  ['application.file/1', ['application.filed/1', 'application programme amount_fen holder_class? contract? declarations evidence_hash']],
  ['application.withdraw/1', ['application.withdrawn/1', 'application']],
  ['attestation.give/1', ['attestation.given/1', 'subject_type subject_id topic verdict reason evidence_hash valid_until']],
  ['contract.sign/1', ['contract.signed/1', 'contract holder provider document_hash amount_fen first_day last_day items basis claimant related_party other_support_fen', {}, priced('price_fen')]],
  ['contract.amend/1', ['contract.amended/1', 'contract amount_fen? last_day? items? items_from? other_support_fen?', {}, priced('price_fen'), amendsContract]],
  ['voucher.issue/1', ['voucher.issued/1', 'voucher programme holder face_fen valid_from contract? mandate? application? evidence_hash?', { valid_until: isInstant }]],
  ['voucher.transfer/1', ['voucher.transferred/1', 'voucher into to amount_fen']],
  ['voucher.suspend/1', ['voucher.suspended/1', 'voucher mandate? reason']],
  ['voucher.resume/1', ['voucher.resumed/1', 'voucher mandate? reason']],
  ['voucher.import/1', ['voucher.imported/1', 'voucher programme holder face_fen used_fen valid_from valid_until evidence_hash']],
  ['voucher.revoke/1', ['voucher.revoked/1', 'voucher mandate? reason', { returned_fen: FEN_OR_ZERO }]],
  ['book.expire/1', ['book.expired/1', '', expired]],
  ['voucher.reserve/1', ['voucher.reserved/1', 'reservation voucher contract amount_fen until']],
  ['reservation.extend/1', ['reservation.extended/1', 'reservation amount_fen? until?', {}, {}, (command) => hasAny(command, 'amount_fen until')]],
  ['reservation.release/1', ['reservation.released/1', 'reservation mandate?', { released_fen: FEN_OR_ZERO, to: oneOf('voucher', 'programme') }]],
  ['time.burn/1', ['time.burned/1', 'contract groups all_or_nothing?', burned]],
  ['burn.reverse/1', ['burn.reversed/1', 'statement line reason', { returned: listOf(rowOf(OWNED, FEN, backTo), 0, 16) }]],
  [
    'service.burn/1',
    [
      'service.burned/1',
      'contract item first_day last_day quantity? document_hash? fee_fen? evidence_hash? corrects? pay_available? prior_period?',
      burned,
      { fee_fen: FEN },
      isCountedOrInvoiced,
    ],
  ],
  ['redemption.claim/1', ['redemption.claimed/1', 'claim programme last_day evidence_hash?', claimed]],
  ['redemption.settle/1', ['redemption.settled/1', 'claim rows offsets? payment? mandate?']],
  ['redemption.disallow/1', ['redemption.disallowed/1', 'programme contract amount_fen reason']],
  ['recovery.demand/1', ['recovery.demanded/1', 'demand programme payee amount_fen reason evidence_hash']],
  ['recovery.receive/1', ['recovery.received/1', 'demand payment']],
  ['recovery.cancel/1', ['recovery.cancelled/1', 'demand amount_fen reason']],
  ['book.seal/1', ['book.sealed/1', 'seal last_day', { accounts: FEN_OR_ZERO, root: HASH }]],
])
const COMMON = ['kind', 'log', 'party', 'ref', 'signed_at']

/** `{event, outcome}` of a command's kind, the latter by field; or refuses a command that has not the form of its kind. */
export function checkCommand(command) {
  const found = COMMANDS.get(command?.kind) ?? require(false, 'its command is unknown')
  const [event, names, outcome = {}, own = {}, fits = () => true] = found
  const forms = { ...FORMS, ...own, kind: oneOf(command.kind) }
  const isWhole = hasFields(command, [...COMMON, ...fieldNames(names)], forms) && fits(command)
  require(isWhole, 'its command has not the form of its kind')
  return { event, outcome }
}

/** Whether an entry's header is of this event, and has its outcome. */
export function isHeader(header, { event, outcome }) {
  const isOutcome = (value) => hasFields(value, Object.keys(outcome), outcome)
  const forms = { at: isInstant, index: FEN_OR_ZERO, kind: oneOf(event), outcome: isOutcome }
  return hasFields(header, Object.keys(forms), forms)
}
