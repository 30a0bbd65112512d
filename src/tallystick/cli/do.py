"""Any command, filled in as a form: shown in plain words, signed, sent, and its receipt kept.

    do KIND --field …            one command                      do KIND --check        what would be decided
    do KIND --from FILE.csv      one command a row (batch.py)     do KIND --prepare      signed; cosign adds others
    do KIND --list FIELD         what a field may name            do KIND --template     the headings of such a file
    do --from FILE.csv           commands of several kinds        do --template KIND,…   such a file to be filled in

docs/commands.md has the notation. Forms are made from the rulebook (`tallystick.forms`): a new kind needs nothing here.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from tallystick.cli import batch, drafting, kinds, output, parameters
from tallystick.cli.sending import leave, report, send, waiting_in_words
from tallystick.cli.sheet_lines import Batch
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.cli.drafting import Draft
    from tallystick.cli.kind_options import Filled
    from tallystick.cli.places import Place
    from tallystick.forms.form import Form
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    group = typer.Typer(
        cls=KindGroup,
        help="Give a command by filling in its form: it is shown in plain words, signed and sent.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.callback(invoke_without_command=True)(do_sheet)
    app.add_typer(group, name="do")


class KindGroup(typer.core.TyperGroup):
    """The kinds of commands, each made from its form when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the kinds, in the order of the rulebook."""
        from tallystick.cli.kind_options import name_of
        from tallystick.forms.form import forms

        return [name_of(form) for form in forms().values()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return a kind's command; a version may be given."""
        from tallystick.cli.kind_options import command_of
        from tallystick.forms.form import form_of

        form = form_of(cmd_name)
        return None if form is None else command_of(form, do_kind)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Return the kind that is named first, and the rest.

        Raises:
            UsageError: there is no such kind.
        """
        if self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; `tallystick do --help` lists them"
            raise UsageError(f"there is no kind of command {args[0]!a:.80}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """List the kinds with what each does, by what they are about."""
        from tallystick.cli.kind_options import name_of
        from tallystick.forms.form import forms

        listed = list(forms().values())
        longest = max(len(name_of(form)) for form in listed)
        with formatter.section("Kinds"):
            formatter.write_dl([(name_of(form).ljust(longest), form.meaning) for form in listed])


def do_sheet(
    context: typer.Context,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE.csv", help="Commands of several kinds: the column 'do' says each row's."),
    ] = None,
    encoding: parameters.SheetEncoding = "utf-8",
    template: Annotated[
        str | None, typer.Option(metavar="KIND,KIND", help="Print such a sheet of these kinds, to be filled in.")
    ] = None,
    check: parameters.CheckOnly = False,
    yes: parameters.Yes = False,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    party: parameters.ProfileParty = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJson = False,
) -> int:
    """Give a command by filling in its form, or many out of a sheet: shown in plain words, signed and sent."""
    from tallystick.cli.place_opening import open_place

    if context.invoked_subcommand is not None:
        return AS_ASKED
    if template is not None:
        for line in _template(template).splitlines():
            output.to_be_typed(line)
        return AS_ASKED
    if from_ is None:
        raise UsageError("which kind of command? `tallystick do --help` lists them; or give a sheet with --from")
    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command, party)
    keys = drafting.keys_of(found, sign_with or ())
    with closing(open_place(found, keys, log_time)) as place:
        return batch.run(Batch(None, Path(from_), encoding, found, place, keys, yes, check, as_json))


def _template(kinds_: str) -> str:
    """Return a sheet of several kinds to be filled in.

    Raises:
        UsageError: there is no such kind.
    """
    from tallystick.forms.form import form_of
    from tallystick.forms.sheets import template_of

    found = []
    for name in kinds_.split(","):
        form = form_of(name.strip())
        if form is None:
            raise UsageError(f"there is no kind of command {name!a:.80}; `tallystick do --help` lists them")
        found.append(form)
    return template_of(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to become of a filled form."""

    profile: "Profile"
    place: "Place"
    keys: "Callable[[], Sequence[SigningKey]]"
    is_agreed: bool
    as_json: bool


def do_kind(
    form: "Form",
    words: "Filled",
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE.csv", help="One command a row; its headings are these options' names."),
    ] = None,
    encoding: parameters.SheetEncoding = "utf-8",
    template: Annotated[bool, typer.Option("--template", help="Print the headings of such a file.")] = False,
    list_: Annotated[
        str | None, typer.Option("--list", metavar="FIELD", help="List what a field may name, and do nothing else.")
    ] = None,
    check: parameters.CheckOnly = False,
    prepare: Annotated[bool, typer.Option("--prepare", help="Sign, and keep the note for others to cosign.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where a prepared note goes; - is stdout.")
    ] = None,
    ref: Annotated[
        str | None, typer.Option("--ref", metavar="REF", help="Your document number; else one is made of the time.")
    ] = None,
    yes: parameters.Yes = False,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    party: parameters.ProfileParty = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJson = False,
) -> int:
    """Do what is asked with a kind's form."""
    from tallystick.cli.place_opening import open_place

    if template:
        from tallystick.forms.sheets import template as headings

        output.to_be_typed(headings(form))
        return AS_ASKED
    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command, party)
    keys = drafting.keys_of(found, sign_with or ())
    with closing(open_place(found, keys, log_time)) as place:
        asked = _Asked(found, place, keys, yes, as_json)
        if list_ is not None:
            return _list(form, list_, asked)
        if from_ is not None:
            given = [*words, *[name for name, value in (("ref", ref), ("out", out)) if value is not None]]
            if given:
                raise UsageError(f"--from has it all in its rows: leave --{given[0]} out")
            return batch.run(Batch(form, Path(from_), encoding, found, place, keys, yes, check, as_json, prepare))
        at = place.clock()
        draft = _drafted(form, words, drafting.common_fields(found, place, ref, at), asked)
        if not as_json:
            drafting.show(draft.fields, place.zone, place.name_of)
        _check_names(form, draft, asked)
        if check:
            return _check(draft, asked)
        question = "Sign this?" if prepare else "Sign and send this?"
        if not drafting.confirm(question, is_agreed=yes):
            output.notice("nothing was signed")
            return REFUSED
        note = _signed(draft, asked)
        if prepare:
            return _prepare(draft, note, out, asked)
        return send(note, found, place, as_json=as_json)


def _drafted(form: "Form", words: "Filled", common: Mapping[str, str], asked: _Asked) -> "Draft":
    draft, faults = drafting.drafted(form, words, common, asked.place.zone)
    if draft is None:
        raise UsageError("; ".join(str(fault) for fault in faults))
    return draft


def _signed(draft: "Draft", asked: _Asked) -> bytes:
    from tallystick.signing.note import sign_text

    return sign_text(draft.text, *asked.keys())


def _check(draft: "Draft", asked: _Asked) -> int:
    """Say what would be decided on a command."""
    (said,) = asked.place.check([_signed(draft, asked)])
    return report(said, asked.place, "would be refused", "would be entry", as_json=asked.as_json)


def _prepare(draft: "Draft", note: bytes, out: str | None, asked: _Asked) -> int:
    """Keep a note that others are to sign too: with the service, or where there is none, in a file."""
    if out is None:
        waiting = leave(note, draft.fields["ref"], asked.profile, asked.place)
        if asked.as_json:
            output.print_json(waiting)
        else:
            output.line(waiting_in_words(waiting))
        return AS_ASKED
    file = NamedFile(out, kinds.SIGNED_COMMAND)
    file.write(note)
    output.line_about(file, f"{out}: signed; the others sign with `tallystick cosign {out}`")
    return AS_ASKED


def _list(form: "Form", field: str, asked: _Asked) -> int:
    """List what a field may name."""
    from tallystick.cli.lookups import looked_up
    from tallystick.wire.lookups import candidates

    option_name, _, part = field.partition(".")
    named = {
        (option.name, name): kind
        for option in form.options
        for name, kind in looked_up(option)
        if option.name == option_name
    }
    kind = named.get((option_name, part)) or (next(iter(named.values()), None) if not part else None)
    if kind is None:
        listed = sorted({option.name for option in form.options if looked_up(option)})
        raise UsageError(f"there is no list for {field!a:.80}; there are lists for {', '.join(listed) or 'none'}")
    found = asked.place.candidates(kind, asked.profile.party or "")
    if asked.as_json:
        output.print_json(candidates(kind, found))
    else:
        output.table(f"{field} may be", (kind, "what it is"), found)
    return AS_ASKED


def _check_names(form: "Form", draft: "Draft", asked: _Asked) -> None:
    """Say what a command names that isn't there, with what is nearest.

    A service may not show all that there is: there it is only said, and the log decides.

    Raises:
        UsageError: it isn't there.
    """
    from tallystick.cli.lookups import nearest

    wrong = []
    for where, kind, id_ in names_in(form, draft.fields):
        there = asked.place.candidates(kind, "")
        near = nearest(id_, there)
        if id_ not in [one.id for one in there] and (near or asked.place.knows_all()):
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            wrong.append(f"--{where}: there is no {kind} {id_}{hint}")
    if wrong and asked.place.knows_all():
        raise UsageError("; ".join(wrong))
    for one in wrong:
        output.notice(f"{one.removesuffix('?')}, as far as you may see?" if one.endswith("?") else one)


def names_in(form: "Form", fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what a command names: by which option, of which kind, and its id."""
    from tallystick.cli.lookups import looked_up
    from tallystick.forms.leaves import Leaf
    from tallystick.forms.records import Grouped, get

    found = []
    for option in form.options:
        value = get(dict(fields), option.path)
        kinds_of = dict(looked_up(option))
        if value is None or not kinds_of or isinstance(option.shape, Grouped):
            continue
        for one in value if option.is_list else (value,):
            if isinstance(option.shape, Leaf):
                found.append((option.name, kinds_of[""], one))
            else:
                named = [(part.name, text) for part, text in option.shape.pairs(one) if part.name in kinds_of]
                found += [(f"{option.name} {name}", kinds_of[name], text) for name, text in named]
    return found
