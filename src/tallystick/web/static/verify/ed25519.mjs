// Which Ed25519 signatures count (docs/formats.md, section 3). The rules in which engines and their versions differ stand
// here, and whether an engine's WebCrypto solves the equation without the cofactor it is asked; else edwards.mjs solves it.

import { GROUP_ORDER, P, solvesEquation } from './edwards.mjs'
import { fromHex, fromText, littleEndian } from './encoding.mjs'

const ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDER = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8]
// Published by C2SP/CCTV: rows 6 and 7. The first solves the equation with the cofactor alone; the second solves both,
// and its key and R have parts of small order.
const PROBES = [
  [
    false,
    '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    '36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bc02e2b9e63e385c058bf62b14b3a2b29ccefe8e38ddb536bc3f9865320a3d801',
    'ed25519vectors 10',
  ],
  [
    true,
    '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    '36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bbbfd00bd9c259d8d222d15e67a3d8228585050dbb9b9585be20d8fadc721da03',
    'ed25519vectors',
  ],
]
const imported = new WeakMap() // public key's bytes -> what WebCrypto made of them
let probed // whether WebCrypto is to be asked

/** Whether 32 bytes are a point of small order, or a second encoding of a point. */
export function isWeakOrNonCanonical(point) {
  const y = littleEndian(point) & (2n ** 255n - 1n)
  return y >= P || SMALL_ORDER.includes(y)
}

/** Whether 64 bytes are the signature of a message by a public key, which is one that `readVkey` takes. */
export async function signatureFits(publicKey, message, signature) {
  if (signature.length !== 64 || isWeakOrNonCanonical(publicKey)) return false
  if (isWeakOrNonCanonical(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= GROUP_ORDER) return false
  const solve = (await usesOwnArithmetic()) ? solvesEquation : askEngine
  return solve(publicKey, message, signature)
}

/** Whether signatures are verified by our own arithmetic here. */
export async function usesOwnArithmetic() {
  probed ??= engineAnswersAsWeDo()
  return !(await probed)
}

/** Whether this engine's WebCrypto has Ed25519, and means by it what we do. */
async function engineAnswersAsWeDo() {
  try {
    for (const [answer, key, signature, message] of PROBES) {
      if ((await askEngine(fromHex(key), fromText(message), fromHex(signature))) !== answer) return false
    }
    return true
  } catch {
    return false // it lacks Ed25519, under one name or another
  }
}

async function askEngine(publicKey, message, signature) {
  if (!imported.has(publicKey)) imported.set(publicKey, await importKey(publicKey))
  const key = imported.get(publicKey)
  return key !== undefined && globalThis.crypto.subtle.verify('Ed25519', key, signature, message)
}

/** WebCrypto's key; undefined for 32 bytes that are no point. */
async function importKey(publicKey) {
  try {
    return await globalThis.crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  } catch (error) {
    if (error.name === 'NotSupportedError') throw error
    return undefined
  }
}
