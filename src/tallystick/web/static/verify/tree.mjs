// The tree, its tiles and bundles, proofs and receipts (docs/formats.md, sections 7, 8, 9 and 11).

import { base64, coded, concat, decimal, equal, hashFromText, latin1, Refused, require, sha256, utf8 } from './encoding.mjs'
import { readNote } from './notes.mjs'

export const ENTRY_SIZE_MAX = 65_535
export const RECEIPT_SIZE_MAX = 163_840
const WIDTH = 256
const BUNDLE_SIZE_MAX = WIDTH * (2 + ENTRY_SIZE_MAX)

export const leafHash = (entry) => sha256(Uint8Array.of(0), entry)
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right)

/** A tree that grows by one hash after another; it keeps the roots of its perfect subtrees, the largest first. */
export class GrowingTree {
  roots = []
  size = 0

  async add(hash) {
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) hash = await nodeHash(this.roots.pop(), hash)
    this.roots.push(hash)
    this.size += 1
  }

  async root() {
    if (this.roots.length === 0) return sha256()
    let root = this.roots.at(-1)
    for (const left of this.roots.slice(0, -1).reverse()) root = await nodeHash(left, root)
    return root
  }
}

function place(n, width) {
  const digits = String(n)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g)
  const last = groups.pop()
  return [...groups.map((group) => `x${group}`), width === WIDTH ? last : `${last}.p/${width}`].join('/')
}

/** A file and its width; where a partial one is missing, the full one. */
async function readTileFile(read, kind, n, width, sizeMax) {
  try {
    return [await read(`tile/${kind}/${place(n, width)}`, sizeMax), width]
  } catch (error) {
    if (width === WIDTH || !error.isMissingFile) throw error
    return [await read(`tile/${kind}/${place(n, WIDTH)}`, sizeMax), WIDTH]
  }
}

async function readTile(read, level, n, width) {
  const [data, there] = await readTileFile(read, String(level), n, width, WIDTH * 32)
  require(data.length === there * 32, `tile ${n} of level ${level} has another length`)
  return data.subarray(0, width * 32)
}

async function readBundle(read, n, width) {
  const [data, there] = await readTileFile(read, 'entries', n, width, BUNDLE_SIZE_MAX)
  const entries = []
  let end = 0
  for (let index = 0; index < there; index += 1) {
    require(end + 2 <= data.length, `bundle ${n} is cut short`)
    const start = end + 2
    end = start + ((data[end] << 8) | data[end + 1])
    require(end <= data.length, `bundle ${n} is cut short`)
    entries.push(data.subarray(start, end))
  }
  require(end === data.length, `bundle ${n} has bytes to spare`)
  return entries.slice(0, width)
}

/**
 * Hands each entry to `take`, in order, and checks every tile and the root of a tree of `size` entries.
 *
 * `read(path, sizeMax)` gives the bytes of a file of the log, or is refused: with `isMissingFile` where there is none.
 */
export async function walkTree(read, size, root, take) {
  const tree = new GrowingTree()
  const levels = [] // of each level above 0: its hashes
  for (let n = 0; n * WIDTH < size; n += 1) {
    const entries = await readBundle(read, n, Math.min(WIDTH, size - n * WIDTH))
    for (const [at, entry] of entries.entries()) await take(entry, n * WIDTH + at)
    const leaves = await Promise.all(entries.map(leafHash))
    for (const leaf of leaves) await tree.add(leaf)
    await checkTile(read, 0, n, leaves, levels)
  }
  for (let level = 1; level <= levels.length; level += 1) {
    const hashes = levels[level - 1]
    for (let n = 0; n * WIDTH < hashes.length; n += 1) {
      await checkTile(read, level, n, hashes.slice(n * WIDTH, (n + 1) * WIDTH), levels)
    }
  }
  require(equal(await tree.root(), root), 'the entries have another root than the checkpoint')
}

async function checkTile(read, level, n, hashes, levels) {
  const same = equal(await readTile(read, level, n, hashes.length), concat(...hashes))
  require(same, `tile ${n} of level ${level} is not over what lies below it`)
  if (hashes.length === WIDTH) {
    const tree = new GrowingTree()
    for (const hash of hashes) await tree.add(hash)
    levels[level] ??= []
    levels[level].push(await tree.root())
  }
}

const isOdd = (number) => number % 2n === 1n

/** The two positions one step up, as sections 9's loops have them. */
function climb(fn, sn, wasRight) {
  if (wasRight) for (; !isOdd(fn) && fn > 0n; fn /= 2n) sn /= 2n
  return [fn / 2n, sn / 2n]
}

export const verifyInclusion = (...given) => coded('proof_invalid', () => includes(...given))

async function includes(index, size, leaf, proof, root) {
  require(index < size, `the tree of ${size} entries has no entry ${index}`)
  let [fn, sn, r] = [index, size - 1n, leaf]
  for (const p of proof) {
    require(sn !== 0n, 'the inclusion proof is too long')
    const right = isOdd(fn) || fn === sn
    r = await (right ? nodeHash(p, r) : nodeHash(r, p))
    ;[fn, sn] = climb(fn, sn, right)
  }
  require(sn === 0n && equal(r, root), 'the inclusion proof leads elsewhere')
}

export const verifyConsistency = (...given) => coded('proof_invalid', () => grew(...given))

async function grew(oldSize, newSize, proof, oldRoot, newRoot) {
  require(oldSize > 0n && oldSize <= newSize, `a tree of ${oldSize} entries does not grow to ${newSize}`)
  if (oldSize === newSize) {
    require(proof.length === 0 && equal(oldRoot, newRoot), 'trees of one size need equal roots and no proof')
    return
  }
  require(proof.length > 0, 'the consistency proof is empty')
  const isPower = (oldSize & (oldSize - 1n)) === 0n
  const [first, ...others] = isPower ? [oldRoot, ...proof] : proof
  let [fn, sn] = [oldSize - 1n, newSize - 1n]
  while (isOdd(fn)) [fn, sn] = [fn / 2n, sn / 2n]
  let [fr, sr] = [first, first]
  for (const c of others) {
    require(sn !== 0n, 'the consistency proof is too long')
    const right = isOdd(fn) || fn === sn
    if (right) fr = await nodeHash(c, fr)
    sr = await (right ? nodeHash(c, sr) : nodeHash(sr, c))
    ;[fn, sn] = climb(fn, sn, right)
  }
  require(sn === 0n && equal(fr, oldRoot) && equal(sr, newRoot), 'the consistency proof leads elsewhere')
}

/** `{index, proof, entry, checkpoint}` of a .tlog-proof's bytes: `entry` is undefined if it has none. */
export function readReceipt(data) {
  const receipt = coded('receipt_malformed', () => receiptOf(data))
  readNote(receipt.checkpoint)
  return receipt
}

function receiptOf(data) {
  require(data.length <= RECEIPT_SIZE_MAX, 'a receipt is too large')
  const end = data.findIndex((byte, at) => byte === 0x0a && data[at + 1] === 0x0a)
  require(end >= 0, 'a receipt has an empty line')
  const [head, ...lines] = latin1(data.subarray(0, end)).split('\n')
  require(head === 'c2sp.org/tlog-proof@v1', 'a receipt begins with c2sp.org/tlog-proof@v1')
  let entry
  if (lines[0]?.startsWith('extra ')) {
    entry = base64(lines.shift().slice('extra '.length), 'the extra line')
    require(entry.length >= 1 && entry.length <= ENTRY_SIZE_MAX, 'the entry is empty or too large')
  }
  const indexLine = lines.shift()
  require(indexLine?.startsWith('index '), 'a receipt has an index line')
  require(lines.length <= 63, 'a receipt has more than 63 hashes')
  return {
    index: decimal(indexLine.slice('index '.length), 'the index'),
    proof: lines.map((line) => hashFromText(line, 'a hash')),
    entry,
    checkpoint: data.subarray(end + 2),
  }
}

/** `{oldSize, oldRoot, newSize, newRoot, proof}` of what `tallystick proof consistency --json` printed. */
export function readConsistencyProof(data) {
  let said
  try {
    said = JSON.parse(utf8(data, 'the proof'))
  } catch {
    throw new Refused('the proof is not JSON')
  }
  const isSize = (value) => Number.isSafeInteger(value) && value >= 0
  const isHash = (value) => typeof value === 'string'
  const fits = isSize(said?.old_size) && isSize(said.new_size) && isHash(said.old_root) && isHash(said.new_root)
  require(fits && Array.isArray(said.proof) && said.proof.every(isHash), 'the proof has no sizes, roots and hashes')
  return {
    oldSize: BigInt(said.old_size),
    oldRoot: hashFromText(said.old_root, 'the old root'),
    newSize: BigInt(said.new_size),
    newRoot: hashFromText(said.new_root, 'the new root'),
    proof: said.proof.map((hash) => hashFromText(hash, 'a hash of the proof')),
  }
}
