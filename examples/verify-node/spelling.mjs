// One spelling of everything: bytes, numbers, base64, canonical JSON (docs/formats.md, sections 1 and 2).

import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

/** What is wrong with the evidence; the text is one line for a person. */
export class Refused extends Error {
  isMissingFile = false
}

export function require(condition, message) {
  if (!condition) throw new Refused(message)
}

/** A file's bytes; one with more than `sizeMax` of them is refused, whatever length the system states. */
export function readFile(path, sizeMax) {
  let file
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw Object.assign(new Refused(`${path} can't be read: ${error.code}`), { isMissingFile: error.code === 'ENOENT' })
  }
  try {
    const data = Buffer.alloc(sizeMax + 1)
    let end = 0
    for (let count = 1; count > 0 && end < data.length; end += count) {
      count = readSync(file, data, end, data.length - end, null)
    }
    require(end <= sizeMax, `${path} has more than ${sizeMax} bytes`)
    return data.subarray(0, end)
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused(`${path} can't be read: ${error.code}`)
  } finally {
    closeSync(file)
  }
}

export function sha256(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Strict UTF-8; a byte order mark is a character like others. */
export function utf8(data, what) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    throw new Refused(`${what} is not UTF-8`)
  }
}

/** A decimal number as a BigInt, since sizes go up to 2^63 - 1. */
export function decimal(text, what) {
  require(/^(0|[1-9][0-9]{0,18})$/.test(text), `${what} is not a decimal number`)
  const number = BigInt(text)
  require(number < 2n ** 63n, `${what} is beyond 2^63 - 1`)
  return number
}

export function base64(text, what) {
  const data = Buffer.from(text, 'base64')
  require(data.toString('base64') === text, `${what} is not base64 in its one spelling`)
  return data
}

export function hashFromText(text, what) {
  const hash = base64(text, what)
  require(hash.length === 32, `${what} has not 32 bytes`)
  return hash
}

const DEPTH_MAX = 16

function canonicalText(value, depth) {
  switch (typeof value) {
    case 'boolean':
      return String(value)
    case 'string':
      require(!/\p{Surrogate}/u.test(value), 'JSON with a lone surrogate')
      return JSON.stringify(value) // RFC 8785 took its strings from here
    case 'number':
      require(Number.isSafeInteger(value), 'JSON with a fraction, or an integer beyond 2^53 - 1')
      return String(value)
  }
  require(value !== null && depth > 0, 'JSON with null, or nested deeper than 16')
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, depth - 1)).join()}]`
  const fields = Object.keys(value).sort() // by UTF-16 units: for ASCII that is by bytes
  require(fields.every((name) => /^[\x00-\x7f]*$/.test(name)), 'JSON with a field name beyond ASCII')
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name], depth - 1)}`).join()}}`
}

/** The value of canonical JSON: parsed, written again, compared. */
export function canonicalJson(data, what) {
  require(data.length <= 65_535, `${what} is too large`)
  let value
  try {
    value = JSON.parse(utf8(data, what))
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused(`${what} is not JSON`)
  }
  require(Buffer.from(canonicalText(value, DEPTH_MAX)).equals(data), `${what} is not canonical JSON`)
  return value
}
