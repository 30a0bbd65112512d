"""A sentence for each kind of command; what it leaves out is listed below it (words.py).

A field stands in braces, with its unit; a part in brackets is there if all its fields are.
"""

from typing import Final

SENTENCES: Final = {
    "network.found/1": (
        "{party} founds the network {name}, by edition {edition} of the rules; {root_quorum} of its root keys sign "
        "what it commands"
    ),
    "party.admit/1": "{party} admits {admitted}[, called {name},] as {role}",
    "party.amend/1": "{party} says anew how it is known and how many of its keys must sign[; it is called {name}]",
    "party.suspend/1": "{party} suspends {subject}: {reason}",
    "party.reinstate/1": "{party} ends the suspension of {subject}: {reason}",
    "rules.adopt/1": "{party} adopts edition {edition} of the rules",
    "checkpoint.record/1": "{party} records a checkpoint that another log's key {log_vkey} signed",
    "log.rekey/1": "{party} changes the log's key from {old_vkey} to {new_vkey}; both sign for {overlap_seconds}",
    "key.add/1": "{party} adds the key {vkey} to {subject}, of purpose {purpose}",
    "key.rotate/1": "{party} replaces the key {key} by {vkey}",
    "key.revoke/1": "{party} revokes the key {key} of {subject} as {cause}[, since {since}]: {reason}",
    "item.register/1": "{party} registers the item {item}, {name}",
    "tariff.publish/1": "{party} publishes a price of {price_fen} for {item} from {valid_from} on",
    "capacity.declare/1": "{party} declares what it has installed from {first_day} on",
    "programme.open/1": (
        "{party} opens programme {programme}, {name}, of {envelope_fen}, from {opens_at} until {closes_at}"
    ),
    "programme.amend/1": "{party} amends programme {programme}: {reason}",
    "provider.accredit/1": "{party} accredits {provider} for programme {programme} from {valid_from} on",
    "provider.delist/1": (
        "{party} ends the accreditation of {provider} for programme {programme} at {valid_until}: {reason}"
    ),
    "record.withdraw/1": "{party} withdraws what it recorded",
    "mandate.give/1": (
        "{party} lets {operator} act for it until {until}, at most {each_fen} at once and {total_fen} in all[, for "
        "programme {programme} alone], by mandate {mandate}"
    ),
    "mandate.end/1": "{party} ends mandate {mandate}: {reason}",
    "contract.sign/1": (
        "{party} signs contract {contract} between {holder} and {provider}, of at most {amount_fen}, from "
        "{first_day} to {last_day}"
    ),
    "contract.amend/1": "{party} amends contract {contract}",
    "application.file/1": "{party} asks for {amount_fen} under programme {programme}, by application {application}",
    "application.withdraw/1": "{party} withdraws application {application}",
    "attestation.give/1": (
        "{party} gives the verdict {verdict} on {topic} of {subject_type} {subject_id}, until {valid_until}: {reason}"
    ),
    "voucher.issue/1": (
        "{party} issues voucher {voucher} of {face_fen} to {holder} under programme {programme}, valid from "
        "{valid_from}[, under contract {contract} alone][, for application {application}][, by mandate {mandate}]"
    ),
    "voucher.transfer/1": "{party} passes {amount_fen} of voucher {voucher} on to {to}, as voucher {into}",
    "voucher.suspend/1": "{party} suspends voucher {voucher}[, by mandate {mandate}]: {reason}",
    "voucher.resume/1": "{party} ends the suspension of voucher {voucher}[, by mandate {mandate}]: {reason}",
    "voucher.import/1": (
        "{party} imports voucher {voucher} of {face_fen}, of which {used_fen} was used, of {holder} under programme "
        "{programme}, valid from {valid_from} until {valid_until}"
    ),
    "voucher.revoke/1": "{party} revokes voucher {voucher}[, by mandate {mandate}]: {reason}",
    "book.expire/1": "{party} books what time has ended",
    "voucher.reserve/1": (
        "{party} reserves {amount_fen} of voucher {voucher} under contract {contract} until {until}, as reservation "
        "{reservation}"
    ),
    "reservation.extend/1": "{party} extends reservation {reservation}[ by {amount_fen}][ until {until}]",
    "reservation.release/1": "{party} releases what remains of reservation {reservation}[, by mandate {mandate}]",
    "time.burn/1": "{party} states what jobs burned under contract {contract}",
    "burn.reverse/1": "{party} takes line {line} of statement {statement} back: {reason}",
    "service.burn/1": (
        "{party} states what it rendered under contract {contract} from {first_day} to {last_day}: [{quantity} of "
        "]{item}[, invoiced at {fee_fen}]"
    ),
    "redemption.claim/1": (
        "{party} claims what is booked up to {last_day} under programme {programme}, as claim {claim}"
    ),
    "redemption.settle/1": "{party} settles claim {claim}[, by mandate {mandate}]",
    "redemption.disallow/1": (
        "{party} keeps {amount_fen} of what is withheld under contract {contract} in programme {programme} for "
        "good: {reason}"
    ),
    "recovery.demand/1": (
        "{party} asks {amount_fen} back from {payee} under programme {programme}, as demand {demand}: {reason}"
    ),
    "recovery.receive/1": (
        "{party} received {payment.amount_fen} back for demand {demand} on {payment.day}, by {payment.reference}"
    ),
    "recovery.cancel/1": "{party} gives up {amount_fen} of demand {demand}: {reason}",
    "book.seal/1": "{party} seals all days up to and with {last_day}, as seal {seal}",
}
