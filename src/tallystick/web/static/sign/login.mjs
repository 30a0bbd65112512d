// Logs in: the page makes and signs the note, and sends it by the very form that takes one from the command line.

import { utf8 } from '../verify/encoding.mjs'
import { sessionText } from './command.mjs'
import { signText } from './note.mjs'
import { base, canSign, find, inWords, KeyField, origin, say, tell } from './page.mjs'

const form = find('[data-with-key]')
const byHand = find('[data-note-form]')
const outcome = find('[data-outcome]')

if (await canSign()) {
  form.hidden = false
  find('[data-by-hand]').open = false
  const keys = new KeyField()
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    try {
      const signer = await keys.open()
      tell(outcome, 'info', say('signing'))
      const [party] = signer.key.name.split('/')
      const hours = Number(find('#hours').value)
      const text = sessionText(origin, party, `${location.origin}${base}`, Date.now(), hours)
      const note = await signText(text, signer)
      keys.forget()
      find('#note').value = utf8(note, 'the note')
      byHand.submit()
    } catch (error) {
      tell(outcome, 'bad', inWords(error))
    }
  })
}
