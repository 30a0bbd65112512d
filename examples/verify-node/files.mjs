// Files and folders, for Node alone: all else takes bytes, or a function `read(path, sizeMax)` that gives them.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refused, require } from '../../src/tallystick/web/static/verify/encoding.mjs'

/** A file's bytes; one with more than `sizeMax` of them is refused, whatever length the system states. */
export function readFile(path, sizeMax) {
  let file
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw Object.assign(new Refused(`${path} can't be read: ${error.code}`), { isMissingFile: error.code === 'ENOENT' })
  }
  try {
    const data = readUpTo(file, sizeMax + 1)
    require(data.length <= sizeMax, `${path} has more than ${sizeMax} bytes`)
    return data
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused(`${path} can't be read: ${error.code}`)
  } finally {
    closeSync(file)
  }
}

function readUpTo(file, size) {
  const data = new Uint8Array(size)
  let end = 0
  for (let count = 1; count > 0 && end < size; end += count) count = readSync(file, data, end, size - end, null)
  return data.subarray(0, end)
}

/** What reads the files of an exported log: paths are below its folder, with slashes. */
export function folderReader(folder) {
  return async (path, sizeMax) => readFile(join(folder, ...path.split('/')), sizeMax)
}

const KINDS = [
  ['a receipt', /^c2sp\.org\/tlog-proof@/],
  ['a balance proof', /^\{"format":"tallystick-balance-proof/],
  ['an entry', /^\{"at":"/],
  ['a consistency proof', /^\s*\{[^]*"old_size"/],
  ['a checkpoint', /^[^\n]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n[^]*\n\u2014 /],
  ['a trust policy', /^(?:[ \t]*(?:#.*)?\n)*[ \t]*(?:log|witness|group|quorum)[ \t]/],
]

/** What a path looks like: 'a folder', one of the kinds above, or undefined where that can't be told. */
export function kindOf(path) {
  try {
    if (statSync(path).isDirectory()) return 'a folder'
    const file = openSync(path, 'r')
    try {
      const beginning = new TextDecoder().decode(readUpTo(file, 4_096))
      return KINDS.find(([, pattern]) => pattern.test(beginning))?.[0]
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined // its reader says what is wrong
  }
}
