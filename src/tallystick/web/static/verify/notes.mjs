// Notes, keys, checkpoints and trust policies (docs/formats.md, sections 3, 6, 10 and 12).

import { isWeakOrNonCanonical, signatureFits } from './ed25519.mjs'
import {
  base64, bigEndian, coded, concat, decimal, equal, fromLatin1, fromText, hashFromText, hex, latin1, require, sha256, utf8,
} from './encoding.mjs'

export const NOTE_SIZE_MAX = 65_535
export const POLICY_SIZE_MAX = 65_535
export const ED25519 = 1
export const COSIGNATURE = 4

const KEY_NAME_LENGTH_MAX = 255

function checkKeyName(name) {
  require(name !== '' && !/[+\p{White_Space}\x00-\x1f]/u.test(name), 'a key name is empty, or has a plus or white space')
  require([...name].length <= KEY_NAME_LENGTH_MAX, 'a key name has more than 255 characters')
}

/** `{name, type, publicKey, label}` of a vkey's text, in its form: that the id is the key's, `readVkey` finds out. */
export const parseVkey = (text) => coded('key_malformed', () => vkeyOf(text))

function vkeyOf(text) {
  require([...text].length <= 4_096, 'a vkey is too long')
  const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/su.exec(text) ?? require(false, 'a vkey is not name+id+base64')
  checkKeyName(name)
  const key = base64(encoded, 'a vkey')
  const [type, publicKey] = [key[0], key.subarray(1)]
  require(type === ED25519 || type === COSIGNATURE, `the key of ${name} has an unknown type`)
  require(publicKey.length === 32, `the key of ${name} has not 32 bytes`)
  require(!isWeakOrNonCanonical(publicKey), `the key of ${name} is weak or non-canonical`)
  return { name, type, publicKey, label: `${name}+${id}` }
}

/** `{name, type, publicKey, label}` of a vkey's text. */
export async function readVkey(text) {
  const key = parseVkey(text)
  const hash = await sha256(fromText(`${key.name}\n`), Uint8Array.of(key.type), key.publicKey)
  const isOwn = key.label === `${key.name}+${hex(hash.subarray(0, 4))}`
  require(isOwn, `the key id of ${key.name} is another key's`, 'key_malformed')
  return key
}

export async function verifySignature(key, message, signature) {
  const fits = await signatureFits(key.publicKey, message, signature)
  require(fits, `the signature by ${key.label} does not fit`, 'signature_invalid')
}

/** `{text, lines: [{label, signature}]}` of a note's bytes, unverified. */
export const readNote = (data) => coded('note_malformed', () => noteOf(data))

function noteOf(data) {
  require(data.length <= NOTE_SIZE_MAX, 'a note is too large')
  utf8(data, 'a note')
  require(data.every((byte) => byte >= 0x20 || byte === 0x0a), 'a note has control characters')
  let end = data.lastIndexOf(0x0a)
  while (end > 0 && data[end - 1] !== 0x0a) end = data.lastIndexOf(0x0a, end - 1) // where the last empty line is
  require(end > 0 && data[data.length - 1] === 0x0a, 'a note is a text, an empty line and signature lines')
  const rest = data.subarray(end + 1)
  require(rest.length > 0, 'a note has no signature')
  const lines = utf8(rest.subarray(0, -1), 'a note').split('\n').map(readSignatureLine)
  require(lines.length <= 64, 'a note has more than 64 signatures')
  require(new Set(lines.map((line) => line.label)).size === lines.length, 'a note has two signatures by one key')
  return { text: data.subarray(0, end), lines }
}

function readSignatureLine(line) {
  const [, name, encoded] = /^\u2014 ([^ ]*) (.*)$/su.exec(line) ?? require(false, 'a signature line is malformed')
  checkKeyName(name)
  const blob = base64(encoded, `the signature by ${name}`)
  require(blob.length > 4, `the signature by ${name} is empty`)
  return { label: `${name}+${hex(blob.subarray(0, 4))}`, signature: blob.subarray(4) }
}

/** `{origin, size, root}` of a checkpoint's text, unverified. */
export const readCheckpoint = (text) => coded('checkpoint_malformed', () => checkpointOf(text))

function checkpointOf(text) {
  const lines = utf8(text, 'a checkpoint').split('\n')
  require(lines.pop() === '' && lines.length >= 3 && !lines.includes(''), 'a checkpoint is an origin, a size and a root')
  const [origin, size, root] = lines
  require(fromText(origin).length <= 255, 'an origin has more than 255 bytes')
  return { origin, size: decimal(size, 'the size'), root: hashFromText(root, 'the root') }
}

/**
 * `{origin, size, root, signers, witnesses}` of a checkpoint's note that fulfils the policy: `signers` are the labels of
 * the log's keys, `witnesses` the policy's, each `{name, label, seconds}`, where `seconds` (POSIX) are undefined of one
 * that hasn't cosigned.
 */
export async function openCheckpoint(data, policy) {
  const { text, lines } = readNote(data)
  const signers = await logSigners(text, lines, policy)
  const checkpoint = readCheckpoint(text)
  const isOwn = signers.some(({ name }) => name === checkpoint.origin)
  require(isOwn, 'another log than the one it names signed the checkpoint', 'signature_missing')
  const witnesses = await cosigners(text, lines, policy)
  const fulfilled = new Set(['none', ...witnesses.filter(({ seconds }) => seconds !== undefined).map(({ name }) => name)])
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => fulfilled.has(member)).length >= threshold) fulfilled.add(name)
  }
  require(fulfilled.has(policy.quorum), 'too few witnesses cosigned the checkpoint', 'quorum_missing')
  return { ...checkpoint, signers: signers.map(({ label }) => label), witnesses }
}

async function logSigners(text, lines, policy) {
  const signers = []
  for (const { label, signature } of lines) {
    const log = policy.logs.get(label)
    if (log === undefined) continue
    await verifySignature(log, text, signature)
    signers.push(log)
  }
  require(signers.length > 0, 'no log of the policy signed the checkpoint', 'signature_missing')
  return signers
}

async function cosigners(text, lines, policy) {
  const found = []
  for (const { name, key } of policy.witnesses.values()) {
    const line = lines.find(({ label }) => label === key.label)
    const seconds = line === undefined ? undefined : await verifyCosignature(key, text, line.signature)
    found.push({ name, label: key.label, seconds })
  }
  return found
}

async function verifyCosignature(key, text, signature) {
  require(signature.length === 72, `the cosignature by ${key.label} has another length`, 'signature_invalid')
  const seconds = bigEndian(signature.subarray(0, 8))
  require(seconds < 2n ** 63n, `the cosignature by ${key.label} has a time beyond 2^63 - 1`, 'signature_invalid')
  await verifySignature(key, concat(fromText(`cosignature/v1\ntime ${seconds}\n`), text), signature.subarray(8))
  return seconds
}

const missing = (message) => require(false, message, 'signature_missing')

/** Refuses a checkpoint's note that one of the log's keys hasn't signed, or another log key of the policy has. */
export async function checkLogKeys(data, keys, policy) {
  const { text, lines } = readNote(data)
  const origin = keys[0].name
  for (const key of keys) {
    const line = lines.find(({ label }) => label === key.label) ?? missing(`${key.label} has not signed the checkpoint`)
    await verifySignature(key, text, line.signature)
  }
  for (const { label } of lines) {
    const isIdle = policy.logs.get(label)?.name === origin && keys.every((key) => key.label !== label)
    require(!isIdle, `${label} signed the checkpoint, and it isn't its turn`, 'signature_invalid')
  }
}

/** A trust policy, from a file's bytes. Names are octets, so text is read as Latin-1, and vkeys as UTF-8. */
export const readPolicy = (data) => coded('policy_malformed', () => policyOf(data))

async function policyOf(data) {
  require(data.length <= POLICY_SIZE_MAX, 'the policy is too large')
  const allowed = (byte) => byte === 0x09 || byte === 0x0a || (byte >= 0x20 && byte !== 0x7f)
  require(data.every(allowed), 'the policy has control characters')
  const lines = latin1(data).split('\n')
  require(lines.pop() === '', 'the last line of the policy has no newline')
  const policy = { logs: new Map(), witnesses: new Map(), groups: [], quorum: undefined }
  const names = { defined: new Set(['none']), grouped: new Set(['none']) }
  for (const line of lines) {
    const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
    if (keyword !== undefined && !keyword.startsWith('#')) {
      const read = POLICY_LINES.get(keyword) ?? require(false, 'the policy has a line of another kind')
      await read(items, policy, names)
    }
  }
  require(policy.quorum !== undefined, 'the policy has no quorum')
  return policy
}

const POLICY_LINES = new Map([
  ['log', async (items, { logs }) => {
    require(items.length === 1 || items.length === 2, 'a log line has a vkey and perhaps a url')
    const key = await policyKey(items[0], ED25519, [...logs.values()])
    logs.set(key.label, key)
  }],
  ['witness', async (items, { witnesses }, names) => {
    require(items.length === 2 || items.length === 3, 'a witness line has a name, a vkey and perhaps a url')
    const key = await policyKey(items[1], COSIGNATURE, [...witnesses.values()].map((witness) => witness.key))
    define(items[0], names)
    witnesses.set(key.label, { name: items[0], key })
  }],
  ['group', ([name, wanted, ...members], { groups }, names) => {
    require(members.length > 0, 'a group line has a name, a number and members')
    for (const member of members) {
      require(names.defined.has(member) && !names.grouped.has(member), 'a group has a member twice or undefined')
      names.grouped.add(member)
    }
    define(name, names)
    const number = { all: members.length, any: 1 }[wanted] ?? decimal(wanted, 'the number of a group')
    require(number >= 1 && number <= members.length, 'a group asks for more members than it has, or none')
    groups.push({ name, threshold: Number(number), members })
  }],
  ['quorum', (items, policy, names) => {
    require(items.length === 1 && policy.quorum === undefined, 'a policy has one quorum line with one name')
    require(names.defined.has(items[0]), 'the quorum is not defined before')
    policy.quorum = items[0]
  }],
])

function define(name, names) {
  require(!names.defined.has(name), 'the policy defines a name twice')
  names.defined.add(name)
}

async function policyKey(item, type, others) {
  const key = await readVkey(utf8(fromLatin1(item), 'a vkey'))
  require(key.type === type, `the key ${key.label} is of another type`)
  const same = (other) => other.label === key.label || equal(other.publicKey, key.publicKey)
  require(!others.some(same), `the policy lists ${key.label} twice`)
  return key
}
