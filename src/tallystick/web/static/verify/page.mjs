// The verifier's page: a file and a policy in, the verdict and what it is of out. The same in verify.html, which asks no
// server, and on a service's page. Text that comes from files is only ever a text node.

import { usesOwnArithmetic } from './ed25519.mjs'
import { fromText, hasWebCrypto } from './encoding.mjs'
import { EVIDENCE_SIZE_MAX, looksLike, verifyEvidence } from './evidence.mjs'
import { wordsIn } from './words.mjs'

const BOOK_ROWS_MAX = 1_000
const COMMAND = '`tallystick verify FILE --trust POLICY`'
const TONES = { proven: 'is-good', checked: 'is-info', refused: 'is-bad', unreadable: 'is-warn', unsupported: 'is-warn' }

/** An element; children are elements or texts, and `undefined` is none. */
function element(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value)
  made.append(...children.flat().filter((child) => child !== undefined))
  return made
}

/** A text in which what stands between backticks is code. */
const rich = (text) => text.split('`').map((part, at) => (at % 2 === 1 ? element('code', {}, part) : part))
const bdi = (text) => element('bdi', {}, String(text))
const code = (text) => element('code', { class: 'hash' }, element('bdi', {}, String(text)))

/** Digits in groups of three, of a number, a BigInt or a text. */
export const grouped = (number) => String(number).replace(/\B(?=(?:\d{3})+$)/g, ',')

/** An amount in fen as yuan, exactly. */
export function yuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, '0')
  return `${fen < 0 ? '\u2212' : ''}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}`
}

/** An instant of the log, in UTC, without what is zero behind its seconds. */
export const utc = (instant) => instant.replace('T', ' ').replace(/(?:\.0{6})?Z$/, ' UTC').replace(/Z$/, ' UTC')

/** A witness's time, which may be any number of seconds. */
export function posixTime(seconds) {
  if (seconds > 253_402_300_799n) return `${seconds} s`
  return utc(`${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}Z`)
}

/**
 * Draws the page into an element, and returns what takes files (`give`) and says things (`say`).
 *
 * The element's `data-alone` says that this is the page on a disk, which has its heading and its languages here.
 */
export function start(root, language) {
  return new VerifyPage(root, wordsIn(language))
}

/** The same on a disk: in the language that `#zh` or `#en` behind its address says, or else in the browser's. */
export function startAlone(root) {
  const [, said] = /[#&](zh|en)\b/.exec(location.hash) ?? []
  return start(root, said ?? (/^zh\b/.test(navigator.language) ? 'zh' : 'en'))
}

class VerifyPage {
  #root
  #words
  #isAlone
  #given = { evidence: undefined, policy: undefined } // each {name, data}
  #shown = {} // by name: what changes
  #turn = 0

  constructor(root, words) {
    this.#root = root
    this.#isAlone = root.dataset.alone !== undefined
    this.#draw(words)
    for (const type of ['dragenter', 'dragover']) document.addEventListener(type, (event) => this.#over(event, true))
    document.addEventListener('dragleave', (event) => this.#over(event, event.relatedTarget !== null))
    document.addEventListener('drop', (event) => this.#dropped(event))
  }

  /** Takes a file's bytes; what it is its first bytes tell, and else the place it was put in. */
  async give(name, data, place = 'evidence') {
    const looks = looksLike(data)
    const isEvidence = ['receipt', 'balance', 'dossier'].includes(looks)
    const goes = looks === 'policy' ? 'policy' : isEvidence ? 'evidence' : place
    this.#given[goes] = { name, data }
    if (goes === 'policy') this.#shown.text.value = ''
    this.#sayChosen()
    if (this.#policy() && this.#given.evidence) await this.verify()
  }

  /** Says a sentence in the live region. */
  say(key, values, tone = 'is-info') {
    this.#notice(tone, [element('p', {}, rich(this.#words.say(key, values)))])
    this.#shown.details.replaceChildren()
  }

  /** Verifies what was given, and says what came of it. */
  async verify() {
    const turn = (this.#turn += 1)
    const { evidence } = this.#given
    const policy = this.#policy()
    if (evidence === undefined) return this.say('needs_evidence', {}, 'is-warn')
    if (policy === undefined) return this.say('needs_policy', {}, 'is-warn')
    this.say('checking')
    try {
      const verdict = await verifyEvidence(evidence.data, policy)
      const isSlow = hasWebCrypto() && (await usesOwnArithmetic())
      if (turn === this.#turn) this.#tell(verdict, evidence, isSlow)
    } catch (error) {
      if (turn === this.#turn) this.say('fault', { detail: `${error.name}: ${error.message}` }, 'is-bad')
    }
    return undefined
  }

  /** The policy's bytes: of the text that was pasted, or else of the file. */
  #policy() {
    const text = this.#shown.text.value
    if (text.trim() === '') return this.#given.policy?.data
    return fromText(text.endsWith('\n') ? text : `${text}\n`)
  }

  // -- the form ------------------------------------------------------------------------------------------------------

  #draw(words) {
    const text = this.#shown.text?.value ?? ''
    this.#words = words
    const { say } = words
    if (this.#isAlone) {
      document.documentElement.lang = words.language === 'zh' ? 'zh-CN' : 'en'
      document.title = say('title')
    }
    const status = element('div', { role: 'status', class: 'verdict' })
    const details = element('div', { class: 'verdict-details' })
    this.#shown = { status, details, ...this.#files(say) }
    this.#shown.text.value = text
    const buttons = [element('button', { class: 'main', type: 'submit' }, say('verify')), element('button', { type: 'button' }, say('clear'))]
    const form = element('form', { class: 'ask verify-form' }, this.#shown.drops, element('p', { class: 'buttons' }, buttons))
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.verify()
    })
    buttons[1].addEventListener('click', () => this.#clear())
    this.#root.replaceChildren(...this.#heading(say), form, status, details)
    this.#sayChosen()
    if (!hasWebCrypto()) this.say('insecure', { command: COMMAND }, 'is-bad')
  }

  #heading(say) {
    if (!this.#isAlone) return []
    const other = element('button', { type: 'button', class: 'link', lang: this.#words.language === 'zh' ? 'en' : 'zh-CN' }, say('other_language'))
    other.addEventListener('click', () => {
      this.#draw(wordsIn(this.#words.language === 'zh' ? 'en' : 'zh'))
      if (this.#policy() && this.#given.evidence) this.verify()
      this.#root.querySelector('button.link').focus()
    })
    return [element('header', { class: 'title' }, element('p', { class: 'languages' }, other), element('h1', {}, say('title')), element('p', { class: 'lead' }, say('lead')))]
  }

  #files(say) {
    const text = element('textarea', { id: 'verify-policy-text', rows: '4', spellcheck: 'false', autocomplete: 'off' })
    const evidence = this.#fileField('evidence', say)
    const policy = this.#fileField('policy', say)
    const pasted = element('p', { class: 'field' }, element('label', { for: text.id }, say('policy_text')), text)
    text.addEventListener('change', () => text.value.trim() !== '' && this.#given.evidence && this.verify())
    const drops = element('div', { class: 'pair' }, evidence.drop, element('div', { class: 'drop' }, policy.parts, pasted))
    return { text, drops, evidence: evidence.chosen, policy: policy.chosen }
  }

  #fileField(place, say) {
    const [id, hintId] = [`verify-${place}`, `verify-${place}-hint`]
    const input = element('input', { type: 'file', id, 'aria-describedby': hintId })
    input.addEventListener('change', () => this.#read([...input.files], place))
    const chosen = element('p', { class: 'note' })
    const label = element('label', { for: id }, say(place))
    const field = element('p', { class: 'field' }, label, input, element('small', { class: 'hint', id: hintId }, say(`${place}_hint`)))
    const parts = [field, chosen]
    return { chosen, parts, drop: element('div', { class: 'drop' }, parts) }
  }

  #sayChosen() {
    for (const place of ['evidence', 'policy']) {
      const given = this.#given[place]
      const said = given && this.#words.say('chosen', { name: given.name, size: grouped(given.data.length) })
      this.#shown[place].replaceChildren(...(said ? [bdi(said)] : []))
    }
  }

  #clear() {
    this.#given = { evidence: undefined, policy: undefined }
    this.#turn += 1
    this.#shown.text.value = ''
    this.#draw(this.#words)
    this.#root.querySelector('input').focus()
  }

  #over(event, isOver) {
    event.preventDefault()
    this.#root.classList.toggle('is-over', isOver)
  }

  async #dropped(event) {
    this.#over(event, false)
    await this.#read([...(event.dataTransfer?.files ?? [])], 'evidence')
  }

  async #read(files, place) {
    for (const file of files) {
      if (file.size > EVIDENCE_SIZE_MAX) {
        return this.say('too_large', { size: grouped(EVIDENCE_SIZE_MAX), command: COMMAND }, 'is-warn')
      }
      try {
        await this.give(file.name, new Uint8Array(await file.arrayBuffer()), place)
      } catch (error) {
        return this.say('unreadable_file', { detail: error.message }, 'is-warn')
      }
    }
    return undefined
  }

  // -- the verdict ---------------------------------------------------------------------------------------------------

  #notice(tone, children) {
    this.#shown.status.replaceChildren(element('div', { class: `notice ${tone}` }, children))
  }

  #tell(verdict, { data }, isSlow) {
    const { say } = this.#words
    const title = element('p', { class: 'notice-title', 'data-verdict': verdict.verdict, 'data-code': verdict.code }, say(verdict.verdict))
    const isGood = verdict.verdict === 'proven' || verdict.verdict === 'checked'
    const lines = isGood ? [this.#sentence(verdict)] : this.#why(verdict, data)
    if (isSlow) lines.push(say('own_arithmetic'))
    this.#notice(TONES[verdict.verdict], [title, ...lines.map((line) => element('p', {}, line))])
    this.#shown.details.replaceChildren(...(isGood ? this.#details(verdict) : this.#findings(verdict)))
  }

  #sentence(verdict) {
    const { say } = this.#words
    const log = verdict.checkpoint.origin
    if (verdict.kind === 'receipt') return say('proven_receipt', { index: grouped(verdict.entry.index), log })
    if (verdict.kind === 'balance') return say('proven_balance', { account: verdict.account, index: grouped(verdict.index), log })
    return say('checked_dossier', { log })
  }

  /** Why something isn't proved: the code, what it means, and what exactly is wrong. */
  #why({ kind, code: word, detail, findings }, data) {
    const { say, finding, reason } = this.#words
    if (word === 'unsupported' && !hasWebCrypto()) return [rich(say('insecure', { command: COMMAND }))]
    const means = findings ? finding(word) : reason(word)
    const lines = [[element('code', {}, word), `: ${means}${detail ? ` (${detail})` : ''}`]]
    const looks = looksLike(data)
    if (word === 'receipt_malformed' && looks !== undefined && looks !== kind) lines.push(say('looks_like', { kind: say(`looks_${looks}`) }))
    return lines
  }

  #findings({ findings = [] }) {
    if (findings.length < 2) return []
    const { say, finding } = this.#words
    const rows = findings.map((one) => [element('code', {}, one.code), one.index === undefined ? '' : grouped(one.index), finding(one.code), bdi(one.detail)])
    return [this.#table('findings', ['code', 'at_entry', 'meaning', 'detail'].map((key) => say(key)), rows, [1])]
  }

  #details(verdict) {
    const of = { receipt: () => this.#ofEntry(verdict.entry), balance: () => this.#ofBalance(verdict), dossier: () => this.#ofDossier(verdict) }
    return [this.#checks(verdict), ...of[verdict.kind](), ...this.#ofTree(verdict)]
  }

  #section(key, ...children) {
    const id = `verify-${key}`
    return element('section', { 'aria-labelledby': id }, element('h2', { id }, this.#words.say(key)), children)
  }

  #facts(pairs) {
    const shown = pairs.filter(([, value]) => value !== undefined && value !== '')
    return element('dl', { class: 'facts' }, shown.map(([key, value]) => element('div', {}, element('dt', {}, this.#words.say(key)), element('dd', {}, value))))
  }

  #table(key, headings, rows, numbers = []) {
    const [id, captionId] = [`verify-table-${key}`, `verify-caption-${key}`]
    const classOf = (at) => (numbers.includes(at) ? 'number' : undefined)
    const head = element('tr', {}, headings.map((text, at) => element('th', { scope: 'col', class: classOf(at) }, text)))
    const body = rows.map((row) => element('tr', {}, row.map((cell, at) => this.#cell(cell, at, headings[at], classOf(at)))))
    const table = element('table', { id }, element('caption', { id: captionId }, this.#words.say(key)), element('thead', {}, head), element('tbody', {}, body))
    return element('div', { class: 'table', role: 'region', 'aria-labelledby': captionId, tabindex: '0' }, table)
  }

  #cell(value, at, heading, kind) {
    const attributes = { class: kind, 'data-label': heading }
    return at === 0 ? element('th', { ...attributes, scope: 'row' }, value) : element('td', attributes, value)
  }

  #checks(verdict) {
    const { say } = this.#words
    const step = (tone, word, text) => element('li', { class: tone }, element('b', {}, say(word)), ' ', rich(text))
    const { good, open } = this.#steps(verdict)
    return element(
      'div', { class: 'pair' },
      this.#section('was_checked', element('ol', { class: 'steps' }, good.map((text) => step('is-good', 'right', text)))),
      this.#section('not_checked', element('ol', { class: 'steps' }, open.map((text) => step('is-wait', 'open', text)))),
    )
  }

  #steps(verdict) {
    const { say } = this.#words
    const { checkpoint, policy } = verdict
    const size = grouped(checkpoint.size)
    const count = checkpoint.witnesses.filter(({ seconds }) => seconds !== undefined).length
    const good = [say('by_log', { keys: checkpoint.signers.join(', ') })]
    good.push(policy.quorum === 'none' ? say('no_quorum') : say('by_quorum', { quorum: policy.quorum, count, all: policy.witnesses }))
    const of = { receipt: stepsOfReceipt, balance: stepsOfBalance, dossier: stepsOfDossier }
    const { proved, open } = of[verdict.kind](verdict, say, size)
    return { good: [...good, ...proved], open: [...open, say('later_log', { size })] }
  }

  #ofTree({ checkpoint, policy }) {
    const { say } = this.#words
    const group = policy.groups.find(({ name }) => name === policy.quorum)
    const quorum = group
      ? say('quorum_of', { ...group, members: group.members.join(', ') })
      : policy.quorum === 'none' ? say('quorum_none') : policy.quorum
    const facts = this.#facts([
      ['log', bdi(checkpoint.origin)],
      ['size', grouped(checkpoint.size)],
      ['root', code(checkpoint.root)],
      ['signed_by_log', checkpoint.signers.map((label) => element('div', {}, code(label)))],
      ['quorum', bdi(quorum)],
    ])
    const rows = checkpoint.witnesses.map(({ name, label, seconds }) => [
      bdi(name), code(label), seconds === undefined ? say('not_cosigned') : posixTime(seconds),
    ])
    const table = rows.length === 0 ? undefined : this.#table('witnesses', ['witness', 'key', 'cosigned_at'].map((key) => say(key)), rows)
    return [this.#section('the_tree', facts, table)]
  }

  #ofEntry(entry) {
    const { kind } = this.#words
    const facts = this.#facts([
      ['index', grouped(entry.index)],
      ['at', utc(entry.at)],
      ['kind', [kind(entry.kind), ' ', element('code', {}, entry.kind)]],
      ['party', bdi(entry.party)],
      ['ref', bdi(entry.ref)],
      ['signed_by', entry.signed_by.map((label) => element('div', {}, code(label)))],
    ])
    const { kind: ofCommand, log, party, ref, ...fields } = entry.command
    return [this.#section('the_entry', facts, this.#values('the_command', fields), this.#values('the_outcome', entry.outcome))]
  }

  /** Fields and their values, amounts in yuan; what has parts as JSON. */
  #values(key, fields) {
    const { say, field } = this.#words
    const rows = Object.entries(fields).map(([name, value]) => {
      const isAmount = name.endsWith('_fen') && typeof value === 'number'
      const heading = isAmount ? say('in_yuan', { name: field(name) }) : field(name)
      return [heading, isAmount ? yuan(value) : shownValue(value)]
    })
    return rows.length === 0 ? undefined : this.#table(key, [say('field'), say('value')], rows)
  }

  #ofBalance(verdict) {
    const { role } = this.#words
    const facts = this.#facts([
      ['account', bdi(verdict.account)],
      ['sealed_by', [bdi(verdict.seal), `, ${utc(verdict.at)}`]],
      ['last_day', verdict.last_day],
      ['touched', grouped(verdict.entries)],
    ])
    const party = this.#facts([
      ['whose', bdi(verdict.party)],
      ['role', role(verdict.role)],
      ['name', verdict.name && bdi(verdict.name)],
      ['uscc', verdict.uscc && code(verdict.uscc)],
      ['profile_hash', verdict.profile_hash && code(verdict.profile_hash)],
      ['admitted_by', bdi(verdict.admitter)],
    ])
    return [this.#section('the_balance', facts, this.#balances(verdict.balances)), this.#section('the_party', party)]
  }

  #balances(balances) {
    const { say, field } = this.#words
    const rows = Object.entries(balances).map(([name, fen]) => [field(name), yuan(fen)])
    return rows.length === 0 ? undefined : this.#table('balances_at', [say('balance'), say('amount')], rows, [1])
  }

  #ofDossier(verdict) {
    const { say, kind } = this.#words
    const facts = this.#facts([
      ['account', bdi(verdict.account)],
      ['entries', grouped(verdict.entries)],
      ['dependencies', grouped(verdict.dependencies)],
    ])
    const rows = verdict.book.slice(0, BOOK_ROWS_MAX).map((line) => [
      grouped(line.index), utc(line.at), kind(line.kind), bdi(line.party), bdi(line.ref), line.signed_by.map((label) => element('div', {}, code(label))),
    ])
    const headings = ['index', 'at', 'kind', 'party', 'ref', 'signed_by'].map((key) => say(key))
    const cut = verdict.book.length > BOOK_ROWS_MAX ? element('p', { class: 'note' }, say('book_shown', { count: grouped(BOOK_ROWS_MAX), all: grouped(verdict.book.length) })) : undefined
    const book = rows.length === 0 ? undefined : this.#table('the_book', headings, rows, [0])
    return [this.#section('the_dossier', facts, this.#balances(verdict.balances), book, cut)]
  }
}

function shownValue(value) {
  if (typeof value === 'number') return grouped(value)
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? utc(value) : bdi(value)
  return element('code', {}, element('bdi', {}, JSON.stringify(value)))
}

function stepsOfReceipt({ entry }, say, size) {
  return { proved: [say('in_tree', { size, index: grouped(entry.index) })], open: [say('rules_of_entry')] }
}

function stepsOfBalance({ index, admitted_index: admitted, named_index: named }, say, size) {
  const proved = [
    say('in_tree', { size, index: grouped(index) }),
    say('leaf_sealed', { index: grouped(index) }),
    say('party_proved', { admitted: grouped(admitted), named: grouped(named) }),
  ]
  return { proved, open: [say('sums_of_seal')] }
}

function stepsOfDossier(verdict, say, size) {
  const { entries, dependencies, entriesLater, signatures, opening, closing, newerSeal } = verdict
  const proved = [
    say('all_in_tree', { count: grouped(entries + dependencies), size }),
    say('all_signed', { count: grouped(signatures) }),
  ]
  const ofSeal = (seal) => ({ seal: seal.seal, index: grouped(seal.index), day: seal.last_day })
  if (opening) proved.push(say('from_seal', ofSeal(opening)))
  if (closing) proved.push(say('complete', ofSeal(closing)))
  const open = [say('rules_of_dossier', { command: COMMAND })]
  if (!closing) open.push(say('not_complete'))
  else if (entriesLater > 0) open.push(say('later_entries', { count: grouped(entriesLater) }))
  if (newerSeal !== undefined) open.push(say('newer_seal', { index: grouped(newerSeal), command: COMMAND }))
  return { proved, open }
}
