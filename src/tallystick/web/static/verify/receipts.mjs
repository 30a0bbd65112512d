// What a receipt proves under a policy (docs/formats.md, section 11).

import { openCheckpoint } from './notes.mjs'
import { leafHash, readReceipt, verifyInclusion } from './tree.mjs'
import { require } from './encoding.mjs'

/**
 * `{checkpoint, index, entry, leaf}` that a `.tlog-proof`'s bytes prove; the entry is the one that it carries, or `given`.
 *
 * That the entry's bytes are an entry of a ledger, and what they say, is read afterwards (`entryIn` of entries.mjs).
 */
export async function verifyReceipt(data, policy, given) {
  const receipt = readReceipt(data)
  const entry = given ?? receipt.entry
  require(entry !== undefined, 'the receipt does not carry its entry: give it', 'usage')
  const leaf = await leafHash(entry)
  const checkpoint = await openCheckpoint(receipt.checkpoint, policy)
  await verifyInclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
  return { checkpoint, index: receipt.index, entry, leaf }
}
