// The canonical encoding of everything: bytes, numbers, base64, canonical JSON (docs/formats.md, sections 1 and 2).
// Bytes are Uint8Array. Nothing here is Node's own: it runs in browsers too.

/** What is wrong with the evidence; the text is one line for a person, `code` the word that the command line has for it. */
export class Refused extends Error {
  isMissingFile = false

  constructor(message, code = 'malformed') {
    super(message)
    this.code = code
  }
}

export function require(condition, message, code) {
  if (!condition) throw new Refused(message, code)
}

/** What `read` returns; whatever it refuses has this code. */
export function coded(code, read) {
  const recode = (error) => {
    if (error instanceof Refused) error.code = code
    throw error
  }
  try {
    const found = read()
    return found instanceof Promise ? found.catch(recode) : found
  } catch (error) {
    return recode(error)
  }
}

/** This engine, or this version, can't verify at all, which says nothing about the evidence. */
export class Unsupported extends Error {
  constructor(message, code = 'unsupported') {
    super(message)
    this.code = code
  }
}

export const hasWebCrypto = () => globalThis.crypto?.subtle !== undefined

async function digest(name, parts) {
  if (!hasWebCrypto()) throw new Unsupported('WebCrypto is missing: take Node 20 or newer, or a page from https or a file')
  return new Uint8Array(await globalThis.crypto.subtle.digest(name, concat(...parts)))
}

export const sha256 = (...parts) => digest('SHA-256', parts)
export const sha512 = (...parts) => digest('SHA-512', parts)

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let end = 0
  for (const part of parts) {
    joined.set(part, end)
    end += part.length
  }
  return joined
}

export function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

export const fromText = (text) => new TextEncoder().encode(text)

/** A little-endian or big-endian number as a BigInt. */
export const bigEndian = (bytes) => bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
export const littleEndian = (bytes) => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** A character for each byte, as base64 and the octets of a policy have it. */
export const latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
export const fromLatin1 = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0))

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

export const toBase64 = (bytes) => btoa(latin1(bytes))

export function base64(text, what) {
  let decoded
  try {
    decoded = atob(text)
  } catch {
    decoded = undefined // no base64 at all
  }
  // atob passes over white space, missing padding and stray bits: what is written again must be the same.
  require(decoded !== undefined && btoa(decoded) === text, `${what} is not base64 in its canonical encoding`)
  return fromLatin1(decoded)
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

/** The bytes of a value's canonical JSON. */
export const canonicalBytes = (value) => fromText(canonicalText(value, DEPTH_MAX))

/** The value of canonical JSON: parsed, written again, compared. */
export function canonicalJson(data, what, sizeMax = 65_535) {
  require(data.length <= sizeMax, `${what} is too large`)
  let value
  try {
    value = JSON.parse(utf8(data, what))
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused(`${what} is not JSON`)
  }
  require(equal(canonicalBytes(value), data), `${what} is not canonical JSON`)
  return value
}
