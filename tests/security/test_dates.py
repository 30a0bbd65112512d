"""No date shuts a party out for good: dates are bounded, and what isn't in force yet is withdrawn."""

from support.scenario import ledger_for, read_table


def _play(rows: str) -> None:
    (story,) = read_table(f"== from the standard network\n{rows}")
    ledger_for(story).play(story)


def test_a_tariff_of_the_year_9999_does_not_end_a_providers_tariffs() -> None:
    """It is refused; the latest that isn't can be withdrawn, and prices go on."""
    _play("""
guian  price           910b 10.00 valid_from=9999-12-31T23:59:59.999999  -> date_too_far_ahead
guian  price           910b 10.00 valid_from=+366d                       -> published
guian  price           910b 5.00 valid_from=+1d                          -> tariff_not_later
guian  withdraw-price  910b from +366d                                   -> withdrawn
guian  price           910b 5.00 valid_from=+1d                          -> published
clock  2026-03-03
guian  price           910b 4.00 valid_from=+1d                          -> published
""")


def test_an_accreditation_of_the_year_9999_does_not_shut_a_provider_out() -> None:
    """It is refused; the latest that isn't can be withdrawn, and the provider accredited."""
    _play("""
shanghai  accredit                wuhu under S1 valid_from=9999-01-01              -> outside_programme_window
shanghai  accredit                wuhu under S1 valid_from=2027-01-05T07:59        -> accredited
shanghai  accredit                wuhu under S1                                    -> provider_already_accredited
shanghai  withdraw-accreditation  wuhu under S1 from 2027-01-05T07:59              -> withdrawn
shanghai  accredit                wuhu under S1                                    -> accredited
acme      reserve                 R9 of V1 1.00 under KW until +1d                 -> reserved
""")


def test_a_rise_without_notice_cannot_be_put_together_from_two_prices() -> None:
    """Neither by a fall that is withdrawn, nor by a dearer price that is."""
    _play("""
guian  price           910b 7.00 valid_from=2026-02-02                             -> published
clock  2026-02-01T23:59
guian  price           910b 6.50 valid_from=2026-02-02T00:00:00.000001             -> published
guian  withdraw-price  910b from 2026-02-02                                        -> record_not_newest
guian  price           910b 6.40 valid_from=2026-02-02T00:00:00.000002             -> published
guian  withdraw-price  910b from 2026-02-02T00:00:00.000002                        -> withdrawn
guian  price           910b 6.60 valid_from=2026-02-02T00:00:00.000002             -> notice_too_short
""")
