// Balance proofs: what an account held at a seal, and whose it is (docs/formats.md, section 13).

import { canonicalJson, equal, fromText, latin1, require } from './encoding.mjs'
import { openCheckpoint } from './notes.mjs'
import * as tree from './tree.mjs'

export const BALANCE_PROOF_SIZE_MAX = 992_570
const LEAF_SIZE_MAX = 2_048
const PATH_MAX = 63
const FIELDS = 'format,leaf,party,path,position,receipt'
const LEAF_FIELDS = 'account,balances,entries,running_hash'

const fieldsOf = (value) => (value?.constructor === Object ? Object.keys(value).join() : '')
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

/** `{header, command}` of the entry that a receipt carries, at the receipt's index. */
function entryOf({ entry, index }) {
  const end = entry.indexOf(0x0a)
  const header = canonicalJson(entry.subarray(0, end), "an entry's header")
  require(BigInt(header.index ?? -1) === index, `the entry calls itself ${header.index}, and its place is ${index}`)
  const text = entry.subarray(end + 1)
  const textEnd = latin1(text).indexOf('\n\n')
  require(textEnd >= 0, 'an entry has no note')
  return { header, command: canonicalJson(text.subarray(0, textEnd), 'the command') }
}

/** Who the party is, by its admission and a later entry of its own. */
function whoIs(party, [admitted, renamed], before) {
  const { header, command } = admitted
  require(header.kind === 'party.admitted/1' && command.admitted === party, `entry ${header.index} is not the admission of ${party}`)
  const found = { role: command.role, name: command.name ?? '', uscc: command.uscc ?? '', named_index: header.index }
  if (renamed !== undefined) {
    const { header: later, command: amend } = renamed
    const isOfParty = later.kind === 'party.amended/1' && amend.party === party && later.index > header.index
    require(isOfParty, `entry ${later.index} doesn't say what ${party} is called`)
    Object.assign(found, { name: amend.name ?? found.name, named_index: later.index })
  }
  require(found.named_index < before, 'an entry of the party is not before the seal')
  return found
}

function readLeaf(data) {
  const leaf = canonicalJson(data, 'the leaf')
  require(fieldsOf(leaf) === LEAF_FIELDS && typeof leaf.account === 'string', `a leaf has ${LEAF_FIELDS}`)
  require(isCount(leaf.entries) && fieldsOf(leaf.balances) !== '', 'a leaf has balances and a number of entries')
  require(Object.values(leaf.balances).every(isCount), 'a balance is a number from 0')
  return leaf
}

/** `{checkpoint, leaf, seal, party}` of a balance proof's bytes, under a policy. */
export async function verifyBalance(data, policy) {
  const { leaf: leafBytes, path, position, receipts } = readProof(data)
  const [sealed, ...party] = receipts
  const checkpoint = await openCheckpoint(sealed.checkpoint, policy)
  for (const { entry, index, proof, checkpoint: note } of receipts) {
    require(equal(note, sealed.checkpoint), 'the receipts are under different checkpoints')
    await tree.verifyInclusion(index, checkpoint.size, await tree.leafHash(entry), proof, checkpoint.root)
  }
  const { header, command: seal } = entryOf(sealed)
  require(header.kind === 'book.sealed/1', `entry ${header.index} is no seal: it is ${header.kind}`)
  const { accounts, root } = header.outcome
  require(isCount(accounts) && /^sha256:/.test(root), 'the seal has no accounts and root')
  const leafHash = await tree.leafHash(leafBytes)
  await tree.verifyInclusion(BigInt(position), BigInt(accounts), leafHash, path, hashFromHex(root.slice('sha256:'.length)))
  const leaf = readLeaf(leafBytes)
  const id = leaf.account.slice(leaf.account.indexOf(' ') + 1)
  const name = id.split('/')[0]
  return { checkpoint, leaf, seal: seal.seal, index: header.index, party: name, ...whoIs(name, party.map(entryOf), header.index) }
}
