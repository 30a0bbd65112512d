// Appends the lines of a file to a new hypercore, and tells how long that took: hypercore.py runs it.
// node hypercore.mjs NODE_MODULES FOLDER LINES BATCH as-it-comes|synced

import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [modules, folder, lines, batch, how] = process.argv.slice(2)
const Hypercore = createRequire(join(modules, 'x'))('hypercore')

// RocksDB writes its log with each append, and leaves it to the system when that reaches the disk.
function sync () {
  const written = join(folder, 'db')
  for (const name of readdirSync(written)) {
    if (!name.endsWith('.log')) continue
    const file = openSync(join(written, name), 'r+')
    fdatasyncSync(file)
    closeSync(file)
  }
}

const blocks = readFileSync(lines).toString().trimEnd().split('\n').map((line) => Buffer.from(line))
const core = new Hypercore(folder)
await core.ready()
await core.append(Buffer.from('{}'))

const cpu = process.cpuUsage()
const begin = process.hrtime.bigint()
for (let first = 0; first < blocks.length; first += Number(batch)) {
  await core.append(blocks.slice(first, first + Number(batch)))
  if (how === 'synced') sync()
}
const seconds = Number(process.hrtime.bigint() - begin) / 1e9
const used = process.cpuUsage(cpu)
if (core.length !== blocks.length + 1) throw new Error(`the core has ${core.length} blocks`)
await core.close()
console.log(JSON.stringify({ blocks: blocks.length, seconds, cpu_seconds: (used.user + used.system) / 1e6 }))
