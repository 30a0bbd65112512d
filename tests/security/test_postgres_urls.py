"""Writer and auditor reach a database in one way, refuse a misspelt URL in the same words, and show no password."""

import psycopg
import pytest

from tallystick.audit.postgres_evidence import PostgresDatabase
from tallystick.errors import SourceUnreadableError, StoreFailedError, UsageError
from tallystick.findings import Findings
from tallystick.ledger.postgres import open_postgres
from tallystick.postgres_urls import parameters_of, said

SECRET = "hunter2"
MISSPELT = [
    f"postgresql://owner:{SECRET}@host/ledger?bogus=1",
    f"postgresql://owner:{SECRET}@[host/ledger",
    f"postgresql://owner@host/ledger?password={SECRET}&bogus=1",
    f"postgresql://owner:{SECRET}%zz@host/ledger",
]


def message(error: type[Exception], url: str, *, of_the_audit: bool) -> str:
    with pytest.raises(error) as caught:
        PostgresDatabase(url, Findings()) if of_the_audit else open_postgres(url)
    return str(caught.value)


@pytest.mark.parametrize("url", MISSPELT)
def test_a_misspelt_url_is_refused_in_the_same_words(url: str) -> None:
    words = message(UsageError, url, of_the_audit=True)
    assert words == message(UsageError, url, of_the_audit=False)
    assert words.endswith("is not a database's URL like postgresql://user@host:5432/database")
    assert "\n" not in words


@pytest.mark.parametrize("url", MISSPELT)
def test_no_password_is_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parameters_of(url, {})
    assert SECRET not in str(caught.value)


def test_a_server_that_is_not_there_is_named_in_the_same_words() -> None:
    url = f"postgresql://owner:{SECRET}@127.0.0.1:1/ledger"
    audits = message(SourceUnreadableError, url, of_the_audit=True)
    writers = message(StoreFailedError, url, of_the_audit=False)
    assert audits.partition(" can't be reached: ")[2] == writers.partition(" can't be used: ")[2]
    assert "onnection refused" in writers
    assert SECRET not in audits + writers


def test_what_the_library_quotes_is_not_repeated() -> None:
    error = psycopg.OperationalError(
        f"failed to resolve host '{SECRET}@host':\n  the server's name \"{SECRET}\" is odd"
    )
    assert said(error) == "failed to resolve host ...: the server's name ... is odd"
    assert said(psycopg.OperationalError("")) == "no reason given"


def test_what_the_url_says_goes_before_what_is_usual() -> None:
    usual = {"connect_timeout": 3, "application_name": "tallystick"}
    assert parameters_of("postgresql://ann@db1:1,db2:2/national?connect_timeout=9", usual) == {
        "application_name": "tallystick",
        "connect_timeout": "9",
        "dbname": "national",
        "host": "db1,db2",
        "port": "1,2",
        "user": "ann",
    }
