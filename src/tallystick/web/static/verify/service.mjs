// The verifier's page on a service: /verify, and /verify?entry=45, which takes that entry's receipt from the service.

import { start } from './page.mjs'

/** The bytes of an entry's receipt from the service below `base`; an Error says why not. */
export async function receiptOf(index, base = '') {
  const answer = await fetch(`${base}/v1/entries/${index}/receipt`, { headers: { Accept: 'text/x.tlog-proof' } })
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`)
  return new Uint8Array(await answer.arrayBuffer())
}

const root = document.querySelector('[data-verify]')
if (root !== null) {
  const page = start(root, document.documentElement.lang.startsWith('zh') ? 'zh' : 'en')
  const index = new URLSearchParams(location.search).get('entry') ?? ''
  if (/^(?:0|[1-9][0-9]{0,15})$/.test(index)) {
    try {
      await page.give(`${index}.tlog-proof`, await receiptOf(index, root.dataset.base ?? ''))
      page.say('loaded', { index })
    } catch (error) {
      page.say('not_loaded', { index, detail: error.message }, 'is-warn')
    }
  }
}
