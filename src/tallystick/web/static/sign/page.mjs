// What the pages that sign share: their words, the key's field, the policy's, and what becomes of a note.
//
// Nothing is kept: no storage, no cookie. The key lives as long as the page, or until it is forgotten.

import { entryIn } from '../verify/entries.mjs'
import { equal, fromText, Refused, Unsupported } from '../verify/encoding.mjs'
import { readNote, readPolicy } from '../verify/notes.mjs'
import { verifyReceipt } from '../verify/receipts.mjs'
import { FILE_SIZE_MAX, openKey, readKeyFile, whyNot } from './keyfile.mjs'

const NOTE = 'text/plain; charset=utf-8'
const RECEIPT = 'text/x.tlog-proof'
const POLICY_SIZE_MAX = 65_535

export const root = document.querySelector('[data-signing]')
export const { base, party, origin, kind } = root.dataset
export const zone = Number(root.dataset.zone)
export const find = (selector, within = root) => within.querySelector(selector)

/** What is said in the reader's language, with `{name}` filled in; the code itself if nothing is. */
export function say(code, values = {}) {
  const text = document.getElementById('said').content.querySelector(`[data-said="${CSS.escape(code)}"]`)?.textContent ?? code
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')
}

/** A failure in the reader's language, where there are words for its code; else its own. */
export function inWords(error) {
  const template = document.getElementById('said').content
  if (error.code !== undefined && template.querySelector(`[data-said="${CSS.escape(String(error.code))}"]`)) return say(error.code, error.values)
  if (error instanceof Refused || error instanceof Unsupported) return error.message
  return String(error.message ?? error)
}

export function fail(code, values) {
  throw Object.assign(new Refused(say(code, values), code), { values })
}

/** Shows what hinders signing here, if anything does, and returns whether nothing does. */
export async function canSign() {
  const why = root.dataset.readOnly === '1' ? 'read_only' : await whyNot()
  if (why !== undefined) find(`[data-why="${why}"]`).hidden = false
  return why === undefined
}

/** Shows a line in a place for outcomes: `good`, `warn`, `bad` or `info`. */
export function tell(place, tone, text, ...more) {
  const box = document.createElement('div')
  box.className = `notice is-${tone}`
  const line = document.createElement('p')
  line.textContent = text
  box.append(line, ...more)
  place.replaceChildren(box)
}

export function add(place, tone, text, ...more) {
  const before = [...place.childNodes]
  tell(place, tone, text, ...more)
  place.prepend(...before)
}

/** A link by which bytes are kept as a file. */
export function offer(code, name, bytes) {
  const link = document.createElement('a')
  link.className = 'button'
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  link.download = name
  link.textContent = say(code)
  return link
}

/** The field of a key file and its passphrase. */
export class KeyField {
  #place = find('[data-key]')
  #file = find('input[type=file]', this.#place)
  #passphrase = find('input[type=password]', this.#place)
  #forget = find('[data-forget]', this.#place)
  #label = find('[data-key-label]', this.#place)
  #opened

  constructor() {
    this.#file.addEventListener('change', () => this.#chosen())
    this.#forget.addEventListener('click', () => this.forget())
    addEventListener('pagehide', () => this.forget())
  }

  /** The key, opened; asked for again after `forget`. */
  async open() {
    if (this.#opened === undefined) {
      const file = await this.#read()
      const passphrase = file.isEncrypted ? fromText(this.#passphrase.value) : undefined
      this.#passphrase.value = ''
      this.#opened = await openKey(file, passphrase)
      this.#show(file.key, false)
    }
    return this.#opened
  }

  forget() {
    this.#opened = undefined
    this.#file.value = ''
    this.#passphrase.value = ''
    this.#label.textContent = ''
    this.#forget.hidden = true
    this.#passphrase.parentElement.hidden = true
  }

  async #read() {
    const [file] = this.#file.files
    if (file === undefined) fail('key_missing')
    if (file.size > FILE_SIZE_MAX) fail('key_none')
    const read = await readKeyFile(new Uint8Array(await file.arrayBuffer()))
    const [owner] = read.key.name.split('/')
    if (party !== '' && owner !== party) fail('key_of_another', { key_party: owner, party })
    return read
  }

  async #chosen() {
    this.#opened = undefined
    this.#passphrase.value = ''
    try {
      const { key, isEncrypted } = await this.#read()
      this.#show(key, isEncrypted)
      if (isEncrypted) this.#passphrase.focus()
    } catch (error) {
      this.#passphrase.parentElement.hidden = true
      this.#label.textContent = inWords(error)
    }
  }

  #show({ label }, isLocked) {
    this.#passphrase.parentElement.hidden = !isLocked
    this.#forget.hidden = false
    this.#label.textContent = say(isLocked ? 'key_locked' : 'key_is', { label })
  }
}

// -- what becomes of a note -------------------------------------------------------------------------------------------

/** POSTs a note, and gives the answer; undefined if none came. */
async function post(path, note, accept = 'application/json') {
  try {
    const headers = { 'Content-Type': NOTE, Accept: accept }
    return await fetch(`${base}${path}`, { method: 'POST', body: note, headers, credentials: 'omit', redirect: 'error' })
  } catch {
    return undefined
  }
}

/** What would become of a note: `{accepted, index}` or a problem; undefined if no answer came. */
export async function check(note) {
  const answer = await post('/v1/check', note)
  return answer?.json()
}

/** Leaves a note for others to sign: what is said of it, or a problem. */
export async function leave(note) {
  const answer = await post('/v1/pending', note)
  return answer?.json()
}

/** The note that waits, as it is now; undefined if it doesn't any more. */
export async function waiting(id) {
  const answer = await fetch(`${base}/v1/pending/${id}`, { headers: { Accept: 'text/plain' }, redirect: 'error' })
  if (answer.status === 401) fail('login_again')
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined
}

export function tellRefusal(place, { title = '', reason = '', detail = '' }) {
  const link = document.createElement('a')
  link.href = `${base}/problems/${encodeURIComponent(reason)}`
  link.textContent = reason
  const meaning = document.getElementById('said').content.querySelector(`[data-reason="${CSS.escape(reason)}"]`)?.textContent
  tell(place, 'bad', say('refused', { meaning: meaning ?? title, reason, detail }), link)
}

/** Sends a complete note, and shows what became of it and what its receipt proves. */
export async function send(note, place) {
  tell(place, 'info', say('sending'))
  const answer = await post('/v1/entries', note, RECEIPT)
  if (answer === undefined) {
    const again = document.createElement('button')
    again.type = 'button'
    again.textContent = say('send_again')
    again.addEventListener('click', () => send(note, place))
    tell(place, 'warn', say('unanswered'), again, offer('keep_note', 'signed.note', note))
    return
  }
  if (!answer.ok) {
    tellRefusal(place, await answer.json().catch(() => ({ reason: String(answer.status) })))
    return
  }
  const receipt = new Uint8Array(await answer.arrayBuffer())
  const [index] = /[0-9]+$/.exec(answer.headers.get('Location') ?? '') ?? ['']
  const link = document.createElement('a')
  link.href = `${base}/entries/${index}`
  link.textContent = say('entry', { index })
  tell(place, 'good', say(answer.status === 201 ? 'recorded' : 'recorded_before', { index }), link)
  await tellReceipt(receipt, note, place)
}

async function tellReceipt(receipt, note, place) {
  let proven
  let policy
  try {
    policy = await policyGiven()
    proven = policy && (await provenBy(receipt, note, policy.read))
  } catch (error) {
    add(place, 'bad', say('not_verified', { why: inWords(error) }), offer('keep_receipt', 'entry.tlog-proof', receipt))
    return
  }
  const name = proven ? `${proven.index}.tlog-proof` : 'entry.tlog-proof'
  if (proven === undefined) {
    add(place, 'warn', say('no_policy'), offer('keep_receipt', name, receipt))
    return
  }
  const [tone, code] = policy.isOwn ? ['good', 'verified_by_file'] : ['info', 'verified_by_service']
  add(place, tone, say(code, proven), offer('keep_receipt', name, receipt))
}

/** `{index, size}` of a receipt that proves, by a policy, the entry of this very text under this log. */
async function provenBy(receipt, note, policy) {
  const { checkpoint, index, entry } = await verifyReceipt(receipt, policy)
  const text = readNote(note).text
  const proven = entryIn({ entry, index }).note.text
  if (!equal(proven, text)) fail('other_text')
  if (checkpoint.origin !== origin) fail('other_log', { origin: checkpoint.origin })
  return { index: String(index), size: String(checkpoint.size) }
}

/** The policy: the officer's file, or else the service's own; undefined if there is neither. */
async function policyGiven() {
  const [file] = find('[data-policy] input').files
  if (file !== undefined) {
    if (file.size > POLICY_SIZE_MAX) throw new Refused('the policy is too large', 'policy_malformed')
    return { isOwn: true, read: await readPolicy(new Uint8Array(await file.arrayBuffer())) }
  }
  const answer = await fetch(`${base}/v1/info`, { redirect: 'error' })
  const { policy } = await answer.json()
  return policy === undefined ? undefined : { isOwn: false, read: await readPolicy(fromText(policy)) }
}
