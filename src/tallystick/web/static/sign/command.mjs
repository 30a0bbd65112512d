// A command's text out of its fields: canonical JSON and a newline (docs/formats.md, sections 2 and 4).

import { canonicalBytes, canonicalJson, concat, fromText, hex, require } from '../verify/encoding.mjs'

const SECOND_MS = 1_000

/** The text to sign of a command's fields. */
export const textOf = (fields) => concat(canonicalBytes(fields), fromText('\n'))

/** The fields of a command's text. */
export function fieldsOf(text) {
  require(text.at(-1) === 0x0a, 'the text does not end in a newline')
  const fields = canonicalJson(text.subarray(0, -1), 'the text')
  require(fields?.constructor === Object && typeof fields.kind === 'string', 'the text is no command')
  return fields
}

/** A time (milliseconds) as commands have it, its second's beginning: `2026-01-05T08:00:00.000000Z`. */
export const instant = (ms) => new Date(ms - (ms % SECOND_MS)).toISOString().replace(/\.\d{3}Z$/, '.000000Z')

/** A reference that no other command of a party has: day and time in UTC, and 32 random bits. */
export function newRef(ms) {
  const random = crypto.getRandomValues(new Uint8Array(4))
  return `${instant(ms).slice(0, 19).replace(/[-:]/g, '')}-${hex(random)}`
}

/** What every command has beside its own fields. */
export const commonFields = (log, party, ms) => ({ log, party, ref: newRef(ms), signed_at: instant(ms) })

/** The text by which a party logs in: it reads at `audience` until `hours` from now. */
export function sessionText(log, party, audience, ms, hours) {
  const expires = ms + hours * 3_600 * SECOND_MS
  return textOf({
    kind: 'session.open/1', log, party, audience, scope: 'read', signed_at: instant(ms), expires_at: instant(expires),
  })
}
