// A command out of a form: its text is made here, what that text says is shown, and it is signed and sent.

import { Refused, utf8 } from '../verify/encoding.mjs'
import { commonFields, fieldsOf, textOf } from './command.mjs'
import { signText } from './note.mjs'
import {
  canSign, check, fail, find, inWords, kind, KeyField, leave, origin, party, say, send, tell, tellRefusal, zone,
} from './page.mjs'
import { READERS, shownTime, yuan } from './values.mjs'

const form = find('[data-ask]')
const outcome = find('[data-outcome]')
const fields = [...form.querySelectorAll('[data-field]')].map((place) => ({
  name: place.dataset.field,
  metavar: place.dataset.metavar,
  isEnd: place.dataset.end === '1',
  isNew: place.dataset.new === '1',
  label: place.querySelector('label').textContent.trim(),
  input: place.querySelector('input'),
  fault: place.querySelector('[data-fault]'),
}))
/** Made once a page, so that what is sent again is the same command. */
const common = commonFields(origin, party, Date.now())

if (await canSign()) {
  const keys = new KeyField()
  for (const { name, input, isNew } of fields) {
    if (isNew && input.value === '') input.value = `${party}/${name}-${common.ref}`
    input.addEventListener('input', preview)
  }
  preview()
  const ask = find('[data-check]')
  const submit = find('button[type=submit]')
  const during = async (act) => {
    ask.disabled = submit.disabled = true
    try {
      await act(await signed(keys))
    } catch (error) {
      tell(outcome, 'bad', inWords(error))
    } finally {
      ask.disabled = submit.disabled = false
    }
  }
  ask.addEventListener('click', () => during(asked))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    during(sent)
  })
}

/** The command's text as the form is filled in; refused if it isn't. */
function drafted() {
  const own = {}
  for (const { name, metavar, isEnd, label, input, fault } of fields) {
    const written = input.value.trim()
    if (written === '') {
      if (input.required) fail('field_missing', { label })
      continue
    }
    try {
      own[name] = READERS[metavar](written, { zone, isEnd })
      fault.textContent = ''
      input.removeAttribute('aria-invalid')
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const why = inWords(error)
      fault.textContent = why
      input.setAttribute('aria-invalid', 'true')
      fail('field_wrong', { label, why })
    }
  }
  return textOf({ kind, ...common, ...own })
}

/** Shows what the text says that would be signed. */
function preview() {
  const sentence = find('[data-sentence]')
  const shown = find('[data-text]')
  try {
    const text = drafted()
    sentence.textContent = sentenceOf(fieldsOf(text))
    shown.textContent = utf8(text, 'the text')
  } catch (error) {
    sentence.textContent = inWords(error)
    shown.textContent = ''
  }
}

function sentenceOf(command) {
  const template = document.getElementById('sentences').content.querySelector(`[data-kind="${kind}"]`).textContent
  const byName = new Map(fields.map((field) => [field.name, field]))
  return template.replace(/\{(\w+)\}/g, (_, name) => shownValue(byName.get(name)?.metavar, command[name]))
}

function shownValue(metavar, value) {
  if (metavar === 'YUAN') return yuan(value)
  return metavar === 'TIME' ? shownTime(value, zone) : String(value)
}

async function signed(keys) {
  const text = drafted()
  const signer = await keys.open()
  tell(outcome, 'info', say('signing'))
  return signText(text, signer)
}

async function asked(note) {
  const said = await check(note)
  if (said === undefined) tell(outcome, 'warn', say('unanswered'))
  else if (said.accepted) tell(outcome, 'good', say('would_be', { index: String(said.index) }))
  else if (said.reason === 'signatures_missing') tell(outcome, 'info', say('would_wait'))
  else tellRefusal(outcome, said)
}

async function sent(note) {
  const said = await check(note)
  if (said?.reason === 'signatures_missing') {
    const waits = await leave(note)
    if (waits === undefined) tell(outcome, 'warn', say('unanswered'))
    else if (waits.reason !== undefined) tellRefusal(outcome, waits)
    else tell(outcome, 'good', say('waits', { missing: waits.missing.map((one) => `${one.party} ${one.count}`).join(', ') }))
  } else if (said !== undefined && !said.accepted) tellRefusal(outcome, said)
  else await send(note, outcome)
}
