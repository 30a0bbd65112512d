"""What a log comes to, over HTTP: one thing and all about it, lists of them, balances; as `show` and `balances` say it.

    GET /v1/<kind>s/{id}      one: vouchers, contracts, claims …; an id of two segments is `owner/number`
    GET /v1/<kind>s           a list, page by page, narrowed by some of its members
    GET /v1/balances?by=      a row for each of a kind, also as CSV
    GET /v1/recorded          entries in short, newest first: of an account, a party, a reference, a kind

Whether a thing may be read is asked before it is looked up, and of a list row by row (`rights.py`).
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, NamedTuple, get_args

from fastapi import APIRouter, Path, Query
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from tallystick.transparency.encoding import SIZE_MAX
from tallystick.views.lists import LISTS, By, ListKind
from tallystick.views.searching import QUERY_MAX
from tallystick.views.served_views import Answering
from tallystick.vouchers.reading_rights import Sight
from tallystick.web.asking import TEXT_MAX, Asked
from tallystick.web.entries_out import ReaderHere, ReadsHere
from tallystick.web.reads import Reads
from tallystick.web.rights import ReadersRights
from tallystick.web.seen import Seen
from tallystick.web.view_answers import Made, ViewRoute, answer_from_views, wants_csv
from tallystick.wire import JsonObject
from tallystick.wire.resources import balances, listing, recorded, rows
from tallystick.wire.resources import search as found

ROWS_MAX: Final = 1_000
ROWS_USUAL: Final = 100
ID_MAX: Final = 200


class Resource(NamedTuple):
    """A kind of thing: its name in a path, and whether its id is `owner/number`."""

    kind: ListKind
    plural: str
    is_owned: bool


RESOURCES: Final = (
    Resource("voucher", "vouchers", True),
    Resource("holder", "holders", False),
    Resource("programme", "programmes", True),
    Resource("provider", "providers", False),
    Resource("contract", "contracts", True),
    Resource("application", "applications", True),
    Resource("claim", "claims", True),
    Resource("demand", "demands", True),
    Resource("mandate", "mandates", True),
    Resource("reservation", "reservations", True),
    Resource("treasury", "treasuries", False),
    Resource("party", "parties", False),
    Resource("key", "keys", True),
    Resource("item", "items", False),
)
"""What can be asked for one by one, and listed."""
LISTED_ALONE: Final[tuple[tuple[ListKind, str], ...]] = (
    ("tariff", "tariffs"),
    ("accreditation", "accreditations"),
    ("capacity", "capacities"),
    ("payee", "payees"),
)

Segment = Annotated[str, Path(min_length=1, max_length=ID_MAX)]


router: Final = APIRouter(route_class=ViewRoute, prefix="/v1")


class PageAsked(Asked):
    """The parameters of a page of a list."""

    after: Annotated[
        str | None, Field(max_length=3 * ID_MAX, description="The id of the row that the page goes on after.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX, description="How many rows at most.")] = ROWS_USUAL


class BalancesAsked(PageAsked):
    """The parameters of balances."""

    by: Annotated[By, Field(description="A row for each of these.")] = "programme"


class RecordedAsked(Asked):
    """The parameters of entries in short."""

    as_of: None = None
    day: None = None
    account: Annotated[
        str | None,
        Field(max_length=2 * ID_MAX, pattern=r"^[a-z_]+ \S+$", description="For example `voucher shanghai/v-1`."),
    ] = None
    party: Annotated[str | None, Field(max_length=ID_MAX, description="Whose commands.")] = None
    ref: Annotated[str | None, Field(max_length=ID_MAX, description="With this reference of the party's.")] = None
    kind: Annotated[str | None, Field(max_length=TEXT_MAX, description="For example `voucher.issued/1`.")] = None
    before: Annotated[int | None, Field(ge=0, le=SIZE_MAX, description="Before this entry.")] = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = ROWS_USUAL


# -- one thing -------------------------------------------------------------------------------------------------------


async def _one(request: Request, reads: Reads, reader: ReadersRights, asked: Asked, kind: str, id_: str) -> Response:
    # Of a key, every reader of its party's terms may see what there is.
    whose, of_whom = ("party", id_.partition("/")[0]) if kind == "key" else (kind, id_)

    def check() -> None:
        if reader.sight(whose, of_whom) is Sight.NOTHING:
            raise reader.not_found(kind, id_)

    def make(answering: Answering) -> Made:
        return Made(Seen(answering, reader).one(kind, id_))

    return await answer_from_views(request, reads, asked, make, check=check)


def _add_one(of: Resource) -> None:
    asked = Annotated[Asked, Query()]

    async def one_of(
        request: Request, id_: Annotated[Segment, Path(alias="id")], reads: ReadsHere, reader: ReaderHere, when: asked
    ) -> Response:
        return await _one(request, reads, reader, when, of.kind, id_)

    async def one_owned(
        request: Request, owner: Segment, number: Segment, reads: ReadsHere, reader: ReaderHere, when: asked
    ) -> Response:
        return await _one(request, reads, reader, when, of.kind, f"{owner}/{number}")

    endpoint: Callable[..., Awaitable[Response]] = one_owned if of.is_owned else one_of
    router.add_api_route(
        f"/{of.plural}/" + ("{owner}/{number}" if of.is_owned else "{id}"),
        endpoint,
        methods=["GET"],
        name=f"{of.kind}",
        summary=f"All about one {of.kind}",
        tags=[of.plural],
        response_class=Response,
    )


# -- lists -----------------------------------------------------------------------------------------------------------


def _add_list(kind: ListKind, plural: str) -> None:
    filters: dict[str, Any] = {name: (_filter_type(kind, name), None) for name in LISTS[kind].filters}
    model = create_model(f"{plural.capitalize()}Asked", __base__=PageAsked, **filters)

    async def some(
        request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[PageAsked, Query()]
    ) -> Response:
        equal = {name: getattr(asked, name) for name in filters}
        is_csv = wants_csv(request)

        def make(answering: Answering) -> Made:
            found, after = Seen(answering, reader).listed(kind, asked.limit, after=asked.after, **equal)
            said = _cells(kind, found) if is_csv else listing(kind, answering.size, found)
            return Made(said, None if after is None else {"after": after})

        return await answer_from_views(request, reads, asked, make, columns=LISTS[kind].columns)

    some.__annotations__["asked"] = Annotated[model, Query()]
    router.add_api_route(
        f"/{plural}",
        some,
        methods=["GET"],
        name=plural,
        summary=f"The {plural}, page by page",
        tags=[plural],
        response_class=Response,
    )


def _filter_type(kind: ListKind, name: str) -> Any:  # noqa: ANN401 - a type
    if name == "closed":
        return bool | None
    return Annotated[str | None, Field(max_length=ID_MAX, description=f"Only of this {name}, of each {kind}.")]


def _cells(kind: ListKind, found: list[Any]) -> list[JsonObject]:
    """Return rows as those of a table; what isn't told of one is empty."""
    return [dict.fromkeys(LISTS[kind].columns) | row for row in rows(found)]


@router.get("/balances", response_class=Response, tags=["balances"])
async def balances_by(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[BalancesAsked, Query()]
) -> Response:
    """Return a row for each of a kind: what is available, reserved, burned, claimed, paid; or what is left."""
    by, is_csv = asked.by, wants_csv(request)

    def make(answering: Answering) -> Made:
        found, after = Seen(answering, reader).balances(by, asked.limit, after=asked.after)
        said = rows(found) if is_csv else balances(by, answering.size, found)
        return Made(said, None if after is None else {"after": after})

    return await answer_from_views(request, reads, asked, make, columns=LISTS[by].columns)


# -- search ----------------------------------------------------------------------------------------------------------


@router.get("/search", response_class=Response, tags=["search"])
async def search(
    request: Request,
    reads: ReadsHere,
    reader: ReaderHere,
    q: Annotated[
        str, Query(min_length=1, max_length=QUERY_MAX, description="An id, a name, a code, a hash and so on.")
    ],
) -> Response:
    """Return what a text leads to: things and entries, exact ones first, at most 20."""
    text = q.strip()

    def make(answering: Answering) -> Made:
        return Made(found(text, answering.size, Seen(answering, reader).search(text)))

    return await answer_from_views(request, reads, Asked(), make)


# -- entries in short -------------------------------------------------------------------------------------------------


@router.get("/recorded", response_class=Response, tags=["entries"])
async def recorded_entries(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[RecordedAsked, Query()]
) -> Response:
    """Return entries in short, newest first: of an account, a party, a reference or a kind, or all."""
    wanted = {"concerning": asked.account, "party": asked.party, "ref": asked.ref, "kind": asked.kind}

    def make(answering: Answering) -> Made:
        shown, before = Seen(answering, reader).recorded(asked.limit, before=asked.before, **wanted)
        return Made(recorded(answering.size, shown), None if before is None else {"before": before})

    return await answer_from_views(request, reads, asked, make)


assert set(get_args(By)) <= set(LISTS)
for _resource in RESOURCES:
    _add_one(_resource)
    _add_list(_resource.kind, _resource.plural)
for _kind, _plural in LISTED_ALONE:
    _add_list(_kind, _plural)
