// A private key out of its file (docs/keys.md): a line `vkey: …` and PKCS#8 in PEM, encrypted or not.
//
// WebCrypto decrypts and imports in one step, so the bytes of an encrypted key are never in a script's hands, and the
// key that comes of it can sign and can't be read. Nothing is stored and nothing is sent. The passphrase's bytes are
// overwritten after use; that the text in the field is gone is the page's part.

import { signatureFits } from '../verify/ed25519.mjs'
import { base64, fromText, hex, Refused, require, Unsupported, utf8 } from '../verify/encoding.mjs'
import { ED25519, readVkey } from '../verify/notes.mjs'
import { DerReader, NULL, OCTET_STRING, OID } from './der.mjs'

export const FILE_SIZE_MAX = 16_384
export const PASSPHRASE_SIZE_MAX = 1_023
const ROUNDS_MAX = 10_000_000
const BLOCK_SIZE = 16

const IS_NONE = "this is not a key file: a line 'vkey: ...' and then a PKCS#8 private key in PEM"
const PEM = /^vkey: ([^\r\n]{1,4096})\r?\n-----BEGIN (ENCRYPTED )?PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \2?PRIVATE KEY-----\s*$/

const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'
const SCRYPT = '2b06010401da47040b'
const HASHES = { '2a864886f70d0209': 'SHA-256', '2a864886f70d020a': 'SHA-384', '2a864886f70d020b': 'SHA-512' }
const CIPHERS = { '60864801650304012a': 256, '608648016503040102': 128 }

/** What a key file says without its passphrase: `{key, isEncrypted, der}`; `key` as `readVkey` gives it. */
export async function readKeyFile(data) {
  require(data.length <= FILE_SIZE_MAX, IS_NONE, 'key_none')
  const [, vkey, encrypted, lines] = PEM.exec(utf8(data, 'the key file')) ?? require(false, IS_NONE, 'key_none')
  const key = await readVkey(vkey)
  require(key.type === ED25519, `${key.label} is no key that signs notes`, 'key_none')
  const der = base64(lines.replace(/[\r\n]/g, ''), 'the PEM of the key file')
  return { key, isEncrypted: encrypted !== undefined, der }
}

/**
 * `{key, sign}` of a key file that was read: `sign(bytes)` gives a signature.
 *
 * `passphrase` is bytes, which are overwritten; undefined of a file that isn't encrypted.
 */
export async function openKey({ key, isEncrypted, der }, passphrase) {
  require(!isEncrypted || passphrase?.length > 0, 'the key file is encrypted: give its passphrase', 'key_wrong')
  require(isEncrypted || passphrase === undefined, 'the key file is not encrypted: give no passphrase')
  require(!isEncrypted || passphrase.length <= PASSPHRASE_SIZE_MAX, `a passphrase has at most ${PASSPHRASE_SIZE_MAX} bytes`)
  let privateKey
  try {
    privateKey = await (isEncrypted ? unwrapped(der, passphrase) : imported(der))
  } finally {
    passphrase?.fill(0)
    if (!isEncrypted) der.fill(0)
  }
  const sign = async (message) => new Uint8Array(await subtle().sign('Ed25519', privateKey, message))
  // The vkey is what the file says of itself: a signature shows whose it is. What is signed here is no note's text.
  const nonce = crypto.getRandomValues(new Uint8Array(32))
  const asked = fromText(`is this the key of the vkey beside it? ${hex(nonce)}`)
  require(await signatureFits(key.publicKey, asked, await sign(asked)), 'the vkey line of the key file does not belong to the private key below it', 'key_another')
  return { key, sign }
}

async function unwrapped(der, passphrase) {
  const { salt, rounds, hash, bits, iv, encrypted } = readEncrypted(der)
  const material = await subtle().importKey('raw', passphrase, 'PBKDF2', false, ['deriveKey'])
  const stretched = { name: 'PBKDF2', hash, salt, iterations: rounds }
  const wrapping = await subtle().deriveKey(stretched, material, { name: 'AES-CBC', length: bits }, false, ['unwrapKey'])
  try {
    return await subtle().unwrapKey('pkcs8', encrypted, wrapping, { name: 'AES-CBC', iv }, 'Ed25519', false, ['sign'])
  } catch (error) {
    throw inWords(error, 'the key file cannot be decrypted: the passphrase is wrong, or the file is damaged', 'key_wrong')
  }
}

async function imported(der) {
  try {
    return await subtle().importKey('pkcs8', der, 'Ed25519', false, ['sign'])
  } catch (error) {
    throw inWords(error, 'the key file is damaged, or its key is none of Ed25519', 'key_damaged')
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958) by PBES2 with PBKDF2 and AES in CBC (RFC 8018, RFC 9879 section 3 for its order). */
function readEncrypted(der) {
  const whole = new DerReader(der)
  const info = whole.takeSequence()
  whole.takeEnd()
  const scheme = info.takeSequence()
  const encrypted = info.take(OCTET_STRING)
  info.takeEnd()
  requireOid(scheme, [PBES2], 'the scheme')
  const parts = scheme.takeSequence()
  scheme.takeEnd()
  const { salt, rounds, hash } = readPbkdf2(parts.takeSequence())
  const cipher = parts.takeSequence()
  parts.takeEnd()
  const bits = CIPHERS[requireOid(cipher, Object.keys(CIPHERS), 'the cipher')]
  const iv = cipher.take(OCTET_STRING)
  cipher.takeEnd()
  require(iv.length === BLOCK_SIZE && encrypted.length > 0 && encrypted.length % BLOCK_SIZE === 0, 'the key file is damaged', 'key_damaged')
  return { salt, rounds, hash, bits, iv, encrypted }
}

function readPbkdf2(derivation) {
  requireOid(derivation, [PBKDF2], 'the stretching of the passphrase')
  const values = derivation.takeSequence()
  derivation.takeEnd()
  const salt = values.take(OCTET_STRING)
  const rounds = values.takeNumber()
  require(rounds >= 1 && rounds <= ROUNDS_MAX, `the key file asks for ${rounds} rounds of PBKDF2`, 'key_damaged')
  if (!values.isNext(0x30)) values.takeNumber() // the length of the key, which the cipher says
  const hashing = values.takeSequence()
  values.takeEnd()
  const hash = HASHES[requireOid(hashing, Object.keys(HASHES), 'the hash of PBKDF2')]
  hashing.take(NULL)
  hashing.takeEnd()
  return { salt, rounds, hash }
}

function requireOid(reader, known, what) {
  const oid = hex(reader.take(OID))
  const remedy = 'encrypt it anew with `tallystick key passphrase`'
  require(oid !== SCRYPT, `the key file is encrypted by scrypt, which browsers don't have: ${remedy}`, 'key_cipher')
  require(known.includes(oid), `${what} of the key file is none that browsers have: ${remedy}`, 'key_cipher')
  return oid
}

function subtle() {
  const found = globalThis.crypto?.subtle
  if (found === undefined) throw new Unsupported('WebCrypto is missing: this page must come from https, or from this machine')
  return found
}

function inWords(error, words, code) {
  if (error.name === 'NotSupportedError') return new Unsupported('Ed25519 is missing from this browser')
  return new Refused(words, code)
}

/** Why this page can't sign at all, as a code: `insecure`, `no_webcrypto`, `no_ed25519`; undefined where it can. */
export async function whyNot() {
  if (globalThis.isSecureContext === false) return 'insecure'
  if (globalThis.crypto?.subtle === undefined) return 'no_webcrypto'
  try {
    await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
  } catch {
    return 'no_ed25519'
  }
  return undefined
}
