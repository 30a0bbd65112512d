// Balance proofs: what an account held at a seal, and whose it is (docs/formats.md, section 13).

import { canonicalJson, coded, equal, fromText, require } from './encoding.mjs'
import { entryIn } from './entries.mjs'
import { openCheckpoint } from './notes.mjs'
import * as tree from './tree.mjs'

export const BALANCE_PROOF_SIZE_MAX = 992_570
const LEAF_SIZE_MAX = 2_048
const PATH_MAX = 63
const FIELDS = 'format,leaf,party,path,position,receipt'
const LEAF_FIELDS = 'account,balances,entries,running_hash'

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsOf = (value) => (isObject(value) ? Object.keys(value).join() : '')
const isHash = (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)
const isCount = (value) => Number.isSafeInteger(value) && value >= 0

function hashFromHex(text) {
  require(typeof text === 'string' && /^[0-9a-f]{64}$/.test(text), 'a hash has not 64 lower-case hex digits')
  return Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16))
}

function readProof(data) {
  require(data.length <= BALANCE_PROOF_SIZE_MAX && data.at(-1) === 0x0a, 'a balance proof is one line, and not too large')
  const proof = canonicalJson(data.subarray(0, -1), 'a balance proof', BALANCE_PROOF_SIZE_MAX)
  require(fieldsOf(proof) === FIELDS, `a balance proof has ${FIELDS}, and nothing else`)
  const { format, leaf, party, path, position, receipt } = proof
  require(format === 'tallystick-balance-proof/1', 'not a balance proof of this format')
  require(typeof leaf === 'string' && typeof receipt === 'string', 'leaf and receipt are text')
  require(isCount(position), 'the position is a number from 0')
  require(Array.isArray(path) && path.length <= PATH_MAX, 'the path is a list of at most 63 hashes')
  const isParty = Array.isArray(party) && party.length >= 1 && party.length <= 2
  require(isParty && party.every((one) => typeof one === 'string'), 'party is one receipt or two, as text')
  const bytes = fromText(leaf)
  require(bytes.length >= 1 && bytes.length <= LEAF_SIZE_MAX, 'the leaf is empty or too large')
  return { leaf: bytes, path: path.map(hashFromHex), position, receipts: [receipt, ...party].map(readReceipt) }
}

function readReceipt(text) {
  const receipt = tree.readReceipt(fromText(text))
  require(receipt.entry !== undefined, 'a receipt in a balance proof carries its entry')
  return receipt
}

/** Who the party is, by its admission and a later entry of its own. */
function whoIs(party, [admitted, renamed], before) {
  const { header, command } = admitted
  const isAdmission = header.kind === 'party.admitted/1' && command.admitted === party
  require(isAdmission, `entry ${header.index} is not the admission of ${party}`, 'proof_invalid')
  const found = {
    role: command.role,
    name: command.name ?? '',
    uscc: command.uscc ?? '',
    profile_hash: command.profile_hash ?? '',
    admitter: command.party,
    admitted_index: header.index,
    named_index: header.index,
  }
  if (renamed !== undefined) {
    const { header: later, command: amend } = renamed
    const isOfParty = later.kind === 'party.amended/1' && amend.party === party && later.index > header.index
    require(isOfParty, `entry ${later.index} doesn't say what ${party} is called`, 'proof_invalid')
    const { name = found.name, profile_hash = found.profile_hash } = amend
    Object.assign(found, { name, profile_hash, named_index: later.index })
  }
  require(found.named_index < before, 'an entry of the party is not before the seal', 'proof_invalid')
  return found
}

/** An account's leaf, of its canonical JSON. */
export function readLeaf(data) {
  const leaf = coded('canonical_json', () => canonicalJson(data, 'the leaf'))
  require(fieldsOf(leaf) === LEAF_FIELDS && typeof leaf.account === 'string', `a leaf has ${LEAF_FIELDS}`)
  require(isCount(leaf.entries) && isObject(leaf.balances), 'a leaf has balances and a number of entries')
  require(Object.values(leaf.balances).every(isCount), 'a balance is a number from 0')
  require(isHash(leaf.running_hash), "a leaf's running_hash is a hash")
  return leaf
}

/** Refuses a leaf that isn't under the root of a seal's outcome. */
export async function verifySealed(leaf, position, path, { accounts, root }) {
  const hash = await tree.leafHash(leaf)
  await tree.verifyInclusion(BigInt(position), BigInt(accounts), hash, path, hashFromHex(root.slice('sha256:'.length)))
}

/** `{checkpoint, leaf, seal, at, last_day, index, party, …}` of a balance proof's bytes, under a policy. */
export async function verifyBalance(data, policy) {
  const { leaf: leafBytes, path, position, receipts } = readProof(data)
  const [sealed, ...party] = receipts
  const checkpoint = await openCheckpoint(sealed.checkpoint, policy)
  await proveEntry(sealed, checkpoint)
  const { header, command: seal } = entryIn(sealed)
  require(header.kind === 'book.sealed/1', `entry ${header.index} is no seal: it is ${header.kind}`, 'proof_invalid')
  await verifySealed(leafBytes, position, path, header.outcome)
  const leaf = readLeaf(leafBytes)
  for (const receipt of party) {
    const isOfTree = equal(receipt.checkpoint, sealed.checkpoint)
    require(isOfTree, 'the receipts are under different checkpoints', 'proof_invalid')
    await proveEntry(receipt, checkpoint)
  }
  const id = leaf.account.slice(leaf.account.indexOf(' ') + 1)
  const name = id.split('/')[0]
  const said = { seal: seal.seal, index: header.index, at: header.at, last_day: seal.last_day }
  return { checkpoint, leaf, ...said, party: name, ...whoIs(name, party.map(entryIn), header.index) }
}

async function proveEntry({ entry, index, proof }, { size, root }) {
  await tree.verifyInclusion(index, size, await tree.leafHash(entry), proof, root)
}
