// Answers what tests/journeys/test_signing_in_node.py asks of the browser's signing modules: JSON lines in and out.

import { createInterface } from 'node:readline'

const folder = new URL('../../src/tallystick/web/static/', import.meta.url)
const command = await import(new URL('sign/command.mjs', folder))
const keyfile = await import(new URL('sign/keyfile.mjs', folder))
const note = await import(new URL('sign/note.mjs', folder))
const values = await import(new URL('sign/values.mjs', folder))

const bytes = (text) => new TextEncoder().encode(text)
const text = (data) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
const opened = async ({ file, passphrase }) =>
  keyfile.openKey(await keyfile.readKeyFile(Buffer.from(file, 'base64')), passphrase === undefined ? undefined : bytes(passphrase))

const ASKED = {
  text: ({ fields }) => text(command.textOf(JSON.parse(fields))),
  fields: ({ of }) => command.fieldsOf(bytes(of)),
  session: ({ log, party, audience, ms, hours }) => text(command.sessionText(log, party, audience, ms, hours)),
  common: ({ log, party, ms }) => command.commonFields(log, party, ms),
  key: async ({ file }) => {
    const { key, isEncrypted } = await keyfile.readKeyFile(Buffer.from(file, 'base64'))
    return { label: key.label, name: key.name, isEncrypted }
  },
  sign: async (asked) => text(await note.signText(bytes(asked.text), await opened(asked))),
  add: async (asked) => text(await note.addSignature(bytes(asked.note), await opened(asked))),
  id: async (asked) => note.idOf(bytes(asked.note)),
  value: ({ metavar, said, zone, isEnd }) => values.READERS[metavar](said, { zone, isEnd }),
  yuan: ({ fen }) => values.yuan(fen),
  time: ({ instant, zone }) => values.shownTime(instant, zone),
  why: () => keyfile.whyNot().then((code) => code ?? null),
}

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...asked } = JSON.parse(line)
  let answer
  try {
    answer = { is: await ASKED[ask](asked) }
  } catch (error) {
    answer = { refused: error.message }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
