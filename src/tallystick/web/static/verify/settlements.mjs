// Claims that are settled and demands that are paid back, as the entries alone show them (docs/formats.md, section 5).

import { require } from './encoding.mjs'

const sum = (amounts) => amounts.reduce((total, amount) => total + BigInt(amount), 0n)

/** What is claimed and not settled yet, and what is asked back. */
export class Settlements {
  #claims = new Map() // open claim -> its rows
  #demands = new Map() // demand -> what is left of it

  /** Takes a command of any kind with its outcome, or refuses it. */
  take(command, outcome) {
    switch (command.kind) {
      case 'redemption.claim/1':
        require(sum(outcome.rows.map(([, amount]) => amount)) === BigInt(outcome.amount_fen), 'its rows are not what it claims')
        return this.#claims.set(command.claim, outcome.rows)
      case 'redemption.settle/1':
        return this.#settle(command)
      case 'recovery.demand/1':
        return this.#demands.set(command.demand, BigInt(command.amount_fen))
      case 'recovery.receive/1':
        return this.#reduce(command.demand, command.payment.amount_fen)
      case 'recovery.cancel/1':
        return this.#reduce(command.demand, command.amount_fen)
    }
  }

  #settle({ claim, rows, offsets = [], payment }) {
    const claimed = this.#claims.get(claim) ?? require(false, `there is no open claim ${claim}`)
    this.#claims.delete(claim)
    const settled = rows.map((row) => `${row.contract} ${sum([row.paid_fen, row.withheld_fen ?? 0])}`)
    require(settled.join('\n') === claimed.map((row) => row.join(' ')).join('\n'), `it settles something else than ${claim} claims`)
    const due = sum(rows.map((row) => row.paid_fen)) - sum(offsets.map((one) => one.amount_fen))
    require(due === BigInt(payment?.amount_fen ?? 0), 'its payment is not what it pays, less what it sets off')
    for (const { demand, amount_fen: amount } of offsets) this.#reduce(demand, amount)
  }

  #reduce(demand, amount) {
    const left = this.#demands.get(demand) ?? require(false, `there is no demand ${demand}`)
    require(BigInt(amount) <= left, `more than is left of ${demand}`)
    this.#demands.set(demand, left - BigInt(amount))
  }
}
