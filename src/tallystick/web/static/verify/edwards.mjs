// Ed25519's equation in plain arithmetic (RFC 8032, section 5.1), for engines whose WebCrypto lacks it or solves another.
// Slow (some milliseconds for each signature), and of public values alone, so its time may tell them.

import { littleEndian, sha512 } from './encoding.mjs'

export const P = 2n ** 255n - 19n
export const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const Y_BITS = 2n ** 255n - 1n

function modulo(number) {
  const rest = number % P
  return rest < 0n ? rest + P : rest
}

function power(base, exponent) {
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

const D = modulo(-121665n * power(121666n, P - 2n))
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n)
const NEUTRAL = { x: 0n, y: 1n, z: 1n, t: 0n }
const BASE = pointAt(modulo(4n * power(5n, P - 2n)), 0n)

/** The point with this y, and an x of this parity; undefined if there is none. */
function pointAt(y, parity) {
  const u = modulo(y * y - 1n)
  const v = modulo(D * y * y + 1n)
  let x = modulo(u * v ** 3n * power(modulo(u * v ** 7n), (P - 5n) / 8n))
  if (modulo(v * x * x) !== u) x = modulo(x * ROOT_OF_MINUS_1)
  if (modulo(v * x * x) !== u || (x === 0n && parity === 1n)) return undefined
  if ((x & 1n) !== parity) x = P - x
  return { x, y, z: 1n, t: modulo(x * y) }
}

function add(one, other) {
  const a = (one.y - one.x) * (other.y - other.x)
  const b = (one.y + one.x) * (other.y + other.x)
  const c = modulo(2n * D * one.t) * other.t
  const d = 2n * one.z * other.z
  const [e, f, g, h] = [modulo(b - a), modulo(d - c), modulo(d + c), modulo(b + a)]
  return { x: modulo(e * f), y: modulo(g * h), z: modulo(f * g), t: modulo(e * h) }
}

/** one * m + other * n, with both numbers' bits gone through once. */
function sumOfMultiples(one, m, other, n) {
  const both = add(one, other)
  let sum = NEUTRAL
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    sum = add(sum, sum)
    const [isOfOne, isOfOther] = [(m >> bit) & 1n, (n >> bit) & 1n]
    if (isOfOne || isOfOther) sum = add(sum, isOfOne && isOfOther ? both : isOfOne ? one : other)
  }
  return sum
}

/** Whether R, the first half of a signature, is the encoding of S * base - hash * key: without the cofactor. */
export async function solvesEquation(publicKey, message, signature) {
  const encoded = littleEndian(publicKey)
  const key = pointAt(encoded & Y_BITS, encoded >> 255n)
  if (key === undefined) return false
  const hash = littleEndian(await sha512(signature.subarray(0, 32), publicKey, message)) % GROUP_ORDER
  const negated = { ...key, x: modulo(-key.x), t: modulo(-key.t) }
  const { x, y, z } = sumOfMultiples(BASE, littleEndian(signature.subarray(32)), negated, hash)
  const inverse = power(z, P - 2n)
  return littleEndian(signature.subarray(0, 32)) === (modulo(y * inverse) | ((modulo(x * inverse) & 1n) << 255n))
}
