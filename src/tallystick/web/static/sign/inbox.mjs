// Signs what waits: the note is fetched, its text is shown and is the one that was read, and it goes on when complete.

import { fromText, hex, sha256, utf8 } from '../verify/encoding.mjs'
import { readNote } from '../verify/notes.mjs'
import { addSignature } from './note.mjs'
import { fieldsOf } from './command.mjs'
import { add, canSign, fail, find, inWords, KeyField, leave, offer, say, send, tell, tellRefusal, waiting } from './page.mjs'

const articles = [...document.querySelectorAll('article[data-id]')]
if (articles.length > 0 && (await canSign())) {
  const keys = new KeyField()
  find('[data-ask]').addEventListener('submit', (event) => event.preventDefault())
  for (const article of articles) {
    const button = find('[data-sign]', article)
    button.hidden = false
    button.addEventListener('click', async () => {
      const outcome = find('[data-outcome]', article)
      button.disabled = true
      try {
        button.hidden = await signOne(article, outcome, keys)
      } catch (error) {
        tell(outcome, 'bad', inWords(error))
      } finally {
        button.disabled = false
      }
    })
  }
}

/** Signs one, and returns whether that is done. */
async function signOne(article, outcome, keys) {
  const { id } = article.dataset
  const signer = await keys.open()
  tell(outcome, 'info', say('signing'))
  const note = await waiting(id)
  if (note === undefined) fail('gone')
  const { text } = readNote(note)
  // What was read is what is signed: the text on the page, which is what the note is called by.
  const shown = find('[data-text]', article).textContent
  const isShown = utf8(text, 'the text') === shown && hex(await sha256(fromText(shown))) === id
  if (!isShown) fail('text_differs')
  fieldsOf(text)
  const signed = await addSignature(note, signer)
  const said = await leave(signed)
  if (said === undefined) {
    tell(outcome, 'warn', say('unanswered'), offer('keep_note', 'signed.note', signed))
    return false
  }
  if (said.reason !== undefined) {
    tellRefusal(outcome, said)
    return false
  }
  if (!said.complete) {
    const missing = said.missing.map((one) => `${one.party} ${one.count}`).join(', ')
    tell(outcome, 'good', say('waits', { missing }))
    return true
  }
  await send((await waiting(id)) ?? signed, outcome)
  add(outcome, 'info', '', offer('keep_note', 'signed.note', signed))
  return true
}
