"""What a program may use of the client is one list, and everything on it says what it is."""

import inspect
import types

from tallystick import client
from tallystick.client import Client


def test_the_list_is_sorted_and_nothing_else_is_visible() -> None:
    visible = {
        name
        for name in vars(client)
        if not name.startswith("_") and not isinstance(getattr(client, name), types.ModuleType)
    }
    assert client.__all__ == sorted(visible)


def test_what_the_client_does_is_said_and_typed() -> None:
    """A public method without a docstring or a type is none to rely on."""
    methods = {
        name: value
        for name, value in inspect.getmembers(Client, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }
    assert {*methods} == {
        "__init__",
        "balance_proof",
        "balances",
        "check",
        "checkpoint",
        "close",
        "dossier",
        "entries",
        "entries_at",
        "follow",
        "info",
        "listed",
        "listed_page",
        "login",
        "logout",
        "receipt",
        "receipt_by",
        "recorded",
        "recorded_page",
        "ref",
        "search",
        "send_outbox",
        "show",
        "submit",
    }
    assert [name for name, method in methods.items() if not inspect.getdoc(method)] == []
    untyped = [
        (name, parameter.name)
        for name, method in methods.items()
        for parameter in inspect.signature(method).parameters.values()
        if parameter.name != "self" and parameter.annotation is inspect.Parameter.empty
    ]
    assert untyped == []
