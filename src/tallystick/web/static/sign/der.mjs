// DER (X.690) as far as a key file has it: each value's length is written in its one way, and nothing is left over.

import { require } from '../verify/encoding.mjs'

export const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const NULL = 0x05
export const OID = 0x06
export const SEQUENCE = 0x30

const DAMAGED = 'the key file is damaged: its DER is not well-formed'
const LENGTH_BYTES_MAX = 2
const LONG = 0x80

/** Reads the values of a SEQUENCE, or of whole DER, one after the other. */
export class DerReader {
  #data
  #at = 0

  constructor(data) {
    this.#data = data
  }

  get isAtEnd() {
    return this.#at === this.#data.length
  }

  /** Whether the next value has this tag. */
  isNext(tag) {
    return this.#data[this.#at] === tag
  }

  /** The contents of the next value, which has this tag. */
  take(tag) {
    require(this.#data.length >= this.#at + 2 && this.isNext(tag), DAMAGED, 'key_damaged')
    const first = this.#data[this.#at + 1]
    let start = this.#at + 2
    let length = first
    if (first >= LONG) {
      const count = first - LONG
      require(count >= 1 && count <= LENGTH_BYTES_MAX && start + count <= this.#data.length, DAMAGED, 'key_damaged')
      length = this.#data.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0)
      require(length >= (count === 1 ? LONG : 256), DAMAGED, 'key_damaged')
      start += count
    }
    require(start + length <= this.#data.length, DAMAGED, 'key_damaged')
    this.#at = start + length
    return this.#data.subarray(start, this.#at)
  }

  /** A reader of the SEQUENCE that comes next. */
  takeSequence() {
    return new DerReader(this.take(SEQUENCE))
  }

  /** A number from 0 to 2^31 - 1. */
  takeNumber() {
    const bytes = this.take(INTEGER)
    const isShort = bytes.length >= 1 && bytes.length <= 4 && bytes[0] < 0x80
    require(isShort && !(bytes.length > 1 && bytes[0] === 0 && bytes[1] < 0x80), DAMAGED, 'key_damaged')
    return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  }

  takeEnd() {
    require(this.isAtEnd, DAMAGED, 'key_damaged')
  }
}
