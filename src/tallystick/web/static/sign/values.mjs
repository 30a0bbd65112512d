// What people write into a form, as commands have it (docs/commands.md): whole fen, times in UTC. Never a float.

import { Refused } from '../verify/encoding.mjs'

const DAY_SECONDS = 86_400
const YUAN = /^(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]{2}))?$/
const DAY = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/
const MOMENT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2}))?)?$/
const DIGITS_MAX = 16
const WIDEST_OFFSET_SECONDS = 14 * 3_600
const LAST_SECOND = Date.UTC(9999, 11, 31) / 1_000 + DAY_SECONDS - 1

/** A field's value by what it holds; refused with what it must be. */
export const READERS = {
  YUAN: (text) => readYuan(text),
  DAY: (text) => readDay(text),
  TIME: (text, { zone, isEnd }) => readMoment(text, zone, isEnd),
  TEXT: (text) => text,
}

/** The fen of an amount in yuan. */
export function readYuan(text) {
  const [, sign, whole, decimals] = YUAN.exec(text) ?? refuse('must be an amount in yuan with two decimals or none, like 1,500,000.00 or 1500000', 'value_yuan')
  const digits = whole.replaceAll(',', '')
  if (digits.replace(/^0+/, '').length > DIGITS_MAX) refuse(`must have at most ${DIGITS_MAX} digits`, 'value_large')
  const fen = BigInt(digits) * 100n + BigInt(decimals ?? 0)
  if (fen > BigInt(Number.MAX_SAFE_INTEGER)) refuse('is too large', 'value_large')
  return Number(sign ? -fen : fen) || 0
}

/** Fen as yuan: 123456 is `1,234.56`. */
export function yuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/\B(?=([0-9]{3})+$)/g, ',')
  return `${fen < 0 ? '-' : ''}${whole}.${digits.slice(-2)}`
}

/** A day as commands have it. */
export function readDay(text) {
  if (dayNumber(text) === undefined) refuse('must be a day like 2026-01-05', 'value_day')
  return text
}

/** A time or a day at an offset from UTC (seconds), as a command has it: of a day its beginning, or its end. */
export function readMoment(text, zone, isEnd) {
  const no = 'must be a time like 2026-01-05T16:00, or a day like 2026-01-05'
  const [, day, minutes, seconds, fraction, utc, sign, offsetHours, offsetMinutes] = MOMENT.exec(text) ?? refuse(no, 'value_time')
  const days = dayNumber(day) ?? refuse(no, 'value_time')
  const [hour, minute] = (minutes ?? '00:00').split(':').map(Number)
  const second = Number(seconds ?? 0)
  if (hour > 23 || minute > 59 || second > 59) refuse(no, 'value_time')
  let offset = utc ? 0 : zone
  if (sign) {
    if (Number(offsetMinutes) > 59) refuse(no, 'value_time')
    offset = (Number(offsetHours) * 3_600 + Number(offsetMinutes) * 60) * (sign === '-' ? -1 : 1)
    if (Math.abs(offset) > WIDEST_OFFSET_SECONDS) refuse(no, 'value_time')
  }
  const begin = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset
  const at = begin + (minutes === undefined && isEnd ? DAY_SECONDS : 0)
  if (begin < 0 || at > LAST_SECOND) refuse('must lie in the years 1970 to 9999', 'value_years')
  return `${new Date(at * 1_000).toISOString().slice(0, 19)}.${(fraction ?? '').padEnd(6, '0')}Z`
}

/** An instant of a command at an offset (seconds) as a sentence has it: `2026-01-05 16:00`. */
export function shownTime(instant, zone) {
  const shifted = new Date(Date.parse(`${instant.slice(0, 19)}Z`) + zone * 1_000).toISOString()
  const fraction = instant.slice(20, 26)
  const text = shifted.slice(0, 19).replace('T', ' ') + (/^0*$/.test(fraction) ? '' : `.${fraction}`)
  return text.length === 19 && text.endsWith(':00') ? text.slice(0, -3) : text
}

/** Days since 1970, of a day that there is. */
function dayNumber(text) {
  const [, year, month, day] = DAY.exec(text) ?? []
  if (year === undefined || year === '0000') return undefined
  const ms = new Date(0).setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return new Date(ms).toISOString().endsWith(`${text}T00:00:00.000Z`) ? ms / (DAY_SECONDS * 1_000) : undefined
}

function refuse(words, code) {
  throw new Refused(words, code)
}
