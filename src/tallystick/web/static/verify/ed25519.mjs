// Which Ed25519 signatures count (docs/formats.md, section 3). WebCrypto solves the equation; the rules in which engines
// and their versions differ stand here, so that every engine gives the same answer.

import { littleEndian, Unsupported } from './encoding.mjs'

const P = 2n ** 255n - 19n
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDER = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8]
const imported = new WeakMap() // public key's bytes -> what WebCrypto made of them

/** Whether 32 bytes are a point of small order, or a second encoding of a point. */
export function isWeakOrNonCanonical(point) {
  const y = littleEndian(point) & (2n ** 255n - 1n)
  return y >= P || SMALL_ORDER.includes(y)
}

/** Whether 64 bytes are the signature of a message by a public key, which is one that `readVkey` takes. */
export async function signatureFits(publicKey, message, signature) {
  if (signature.length !== 64 || isWeakOrNonCanonical(publicKey)) return false
  if (isWeakOrNonCanonical(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= GROUP_ORDER) return false
  const key = await importKey(publicKey)
  return key !== undefined && globalThis.crypto.subtle.verify('Ed25519', key, signature, message)
}

/** WebCrypto's key; undefined for 32 bytes that are no point. */
async function importKey(publicKey) {
  if (!imported.has(publicKey)) imported.set(publicKey, await tryToImport(publicKey))
  return imported.get(publicKey)
}

async function tryToImport(publicKey) {
  const subtle = globalThis.crypto?.subtle
  try {
    return await subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  } catch (error) {
    if (subtle !== undefined && error.name !== 'NotSupportedError') return undefined
    throw new Unsupported('Ed25519 is missing from WebCrypto: take Node 20 or newer, or a browser of 2025 or newer')
  }
}
