// Notes are signed here: the text, an empty line, and a line for each signature (docs/formats.md, section 3).

import { concat, equal, fromText, hex, require, sha256, toBase64 } from '../verify/encoding.mjs'
import { readNote } from '../verify/notes.mjs'

/** The note of a text, which ends in a newline, signed by an opened key. */
export async function signText(text, signer) {
  require(text.at(-1) === 0x0a, "a note's text ends in a newline")
  return checked(concat(text, fromText('\n'), await signatureLine(text, signer)))
}

/** The note with one signature more of the same text; the lines that are there stay as they are. */
export async function addSignature(note, signer) {
  const { text, lines } = readNote(note)
  require(!lines.some(({ label }) => label === signer.key.label), `${signer.key.label} has signed this already`, 'signed_already')
  return checked(concat(note, await signatureLine(text, signer)))
}

/** What a note is called that waits: the SHA-256 of its text, in hexadecimal. */
export const idOf = async (note) => hex(await sha256(readNote(note).text))

async function signatureLine(text, { key, sign }) {
  const id = Uint8Array.from(key.label.slice(-8).match(/../g), (pair) => Number.parseInt(pair, 16))
  return fromText(`\u2014 ${key.name} ${toBase64(concat(id, await sign(text)))}\n`)
}

/** What is written here can be read. */
function checked(note) {
  const { text } = readNote(note)
  require(equal(text, note.subarray(0, text.length)), 'the note is not what was signed')
  return note
}
