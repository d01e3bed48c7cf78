"""Generated input: JSON values, events and their deformations, definitions, whole logs."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from loyaltystream.definitions.model import DAY_CLASSES, Action, EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.psi import Psi, hashed, starred
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import Header, Record
from loyaltystream.times import DAY_MS
from tests.core import GOOD, NOW_MS, field, raw

LAW: Final = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS: Final = st.one_of(
    st.text(max_size=12),
    st.text("ab=|{}'\"\\%_. \t\x1e\x7f", max_size=8),
    st.sampled_from(["", " ", "null", "1e400", "5", "5.0", "919812345678", "2025-11-24", "INR"]),
)
NUMBERS: Final = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**53, -(2**53), 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**22, 10**23]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70).map(float),
    st.sampled_from([0.0, -0.0, 5.0, 1e22, 1e23, 1e308, 5e-324]),
)
USUAL_TEXTS: Final = st.one_of(
    st.text("abcAB019=|{}'%_. ,:[]\x7f", max_size=8),
    st.sampled_from(["", " ", "gold", "5", "919812345678", "2025-11-24", "INR"]),
)
"""Text that an event of the usual kind may hold: ASCII, nothing to escape."""

VALUES: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXTS, children, max_size=3),
    max_leaves=6,
)
_OF_DIALECTS: Final = ["x-event-dialect", "x-event-source", "x-event-id", "x-event-time"]
HEADERS: Final[st.SearchStrategy[list[Header]]] = st.lists(
    st.tuples(
        st.sampled_from(["origin", "src", "traceparent", "x", *_OF_DIALECTS]),
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"", b"default", b"berlin", b"front-desk", *map(str.encode, Dialect)]),
            st.builds(
                "behavioral-events/{}/{}/{}".format,
                st.integers(-1, 2**33),
                st.integers(-1, 2**65),
                st.integers(-1, 2**65),
            ).map(str.encode),
        ),
    ),
    max_size=3,
)


def _places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: Sequence[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [way, *(place for key, child in children for place in _places(child, (*way, key)))]


@st.composite
def deformed(draw: st.DrawFn, event: dict[str, Any] = GOOD) -> bytes:
    """Return the event with a few places of it replaced, removed, or joined by others."""
    changed: Any = copy.deepcopy(event)
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from([place for place in _places(changed) if place] or [()]))
        parent = changed
        for step in way:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "join"])):
            case "replace":
                parent[last] = draw(VALUES)
            case "remove" if len(parent) > 1:
                del parent[last]
            case _ if isinstance(parent, dict):
                parent[draw(TEXTS)] = draw(VALUES)
            case _:
                parent.append(draw(VALUES))
    return json.dumps(changed, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return the bytes of an event, deformed or not, with pieces cut out, doubled or put in."""
    content = draw(deformed())
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 20)))
        piece = draw(
            st.one_of(
                st.just(b""),
                st.just(content[start:end] * 2),
                st.binary(max_size=4),
                st.sampled_from([b'"', b"{", b"[[", b"\\", b"\\u0000", b"\\ud800", b":", b"1e999"]),
            )
        )
        content = content[:start] + piece + content[end:]
    return content


_RICH: Final[list[dict[str, Any]]] = [
    {
        "event_name": "roomReserved",
        "guest": "919812345678",
        "hotel": "Lotus",
        "till": "T1",
        "eventDateTime": "2025-11-24 16:00:00",
        "external_event_id": "c-1",
        "orgResolver": {"type": "PARENT_CHILD_ORG", "childOrgId": 1801, "tillCode": "T2"},
    },
    {
        "event": {
            "type": "roomReserved",
            "eventDate": "2025-11-24T16:00:00",
            "eventId": "o-1",
            "customerData": {
                "customerId": "1",
                "email": "a@b.co",
                "phone": "919812345678",
                "loyaltyCardNumber": "C1",
            },
            "body": {"hotel": "Lotus"},
        }
    },
    {
        "event": "roomReserved",
        "customer": {"source_id": "1", "email": "a@b.co", "name": "Asha", "phone": "919812345678"},
        "referral": {"code": "R1", "referrer_id": "2"},
        "loyalty": {"code": "C1"},
        "metadata": {"hotel": "Lotus"},
    },
]
"""An event of each other dialect, with most of what it may have."""


def _thinned(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _thinned(draw, child) for key, child in value.items() if draw(_MOSTLY)}


@st.composite
def thinned(draw: st.DrawFn, event: dict[str, Any]) -> bytes:
    """Return the event without some of its keys, at any depth, and spaced somehow."""
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",\n", ":\t")]))
    return json.dumps(_thinned(draw, event), separators=separators).encode()


_MOSTLY: Final = st.integers(0, 29).map(bool)
USUAL_ONES: Final[list[dict[str, Any]]] = [
    {key: value for key, value in event.items() if key != "orgResolver"} for event in _RICH
]
THEIRS: Final = st.one_of(*map(thinned, USUAL_ONES * 3), *map(deformed, _RICH))
"""Events of the other dialects, right and wrong, of the usual kind and of none."""

BYTES: Final = st.one_of(
    st.none(), st.binary(max_size=60), deformed(), damaged(), *map(deformed, _RICH)
)

_NAMES: Final = st.one_of(
    st.sampled_from(["sku", "amount", "it's", 'say "x"', "a=b", "a\\b", "{x}", "%s", "größe"]),
    st.text("abcXYZ_{}'\"\\=é", min_size=1, max_size=6).filter(str.strip),
)
_KINDS: Final = ["string", "double", "integer", "boolean", "date", "enum", "currencyCode", "json"]


_USUAL_NAMES: Final = st.one_of(
    st.sampled_from(["sku", "amount", "it's", "a=b", "{x}", "%s", "x" * 61, "y" * 64]),
    st.text("abcXYZ_{}'= ", min_size=1, max_size=6).filter(str.strip),
)


_HIDEABLE: Final = {"string", "double", "integer", "date", "enum"}
_ACTIONS: Final = st.lists(st.sampled_from([*Action]), min_size=1, unique=True)
PSI: Final = st.builds(
    Psi,
    st.sampled_from([starred, hashed("a secret of sixteen or more")]),
    st.sampled_from([frozenset[Action](), frozenset({Action.EMF})]),
)
"""Every way in which a deployment may hide sensitive values."""


@st.composite
def definitions(draw: st.DrawFn, *, usual: bool = False) -> EventDefinition:
    """Return a definition of a few fields of any type, some required, unique or restricted.

    A `usual` one has only what the short way can take.
    """
    some = st.lists(_USUAL_NAMES if usual else _NAMES, max_size=5, unique=True)
    names = draw(some.filter(lambda names: "customer" not in names))
    fields = []
    for name in names:
        kind = draw(st.sampled_from(_KINDS[:-1] if usual else _KINDS))
        attributes: dict[str, object] = {}
        if draw(st.booleans()):
            attributes["isRequired"] = "true"
            attributes["isUniqueKeyField"] = draw(st.sampled_from(["true", "false"]))
        if kind == "enum":
            attributes["possibleValues"] = ["gold", "it's {x}", "größe"]
        elif draw(st.integers(0, 4)) == 0:
            attributes["regex"] = draw(st.sampled_from(["[a-z ]*", "[0-9.-]+", ".*"]))
        if kind in _HIDEABLE and draw(st.integers(0, 2)) == 0:
            attributes["isPsiData"] = "true"
        fields.append(field(name, kind, **attributes))
    body = {
        "eventName": "generated",
        "version": draw(st.integers(1, 300)),
        "actions": draw(_ACTIONS),
        "fields": [*fields, field("customer", "customer", identifierType="externalId")],
    }
    definition = parse_definition(1800, body)
    assert isinstance(definition, EventDefinition), definition
    return definition


_FITTING: Final[dict[str, st.SearchStrategy[Any]]] = {
    "string": TEXTS,
    "double": NUMBERS,
    "integer": st.integers(-(2**64), 2**64) | st.integers(-200, 200),
    "boolean": st.booleans(),
    "date": st.sampled_from(["2025-11-24", "24-Nov-25", "2025-02-30", ""]),
    "enum": st.sampled_from(["gold", "it's {x}", "größe", ""]),
    "currencyCode": st.sampled_from(["INR", "EUR", "XYZ"]),
    "json": st.lists(NUMBERS, max_size=3) | st.dictionaries(TEXTS, VALUES, max_size=2),
}


_USUAL: Final[dict[str, st.SearchStrategy[Any]]] = {
    "string": USUAL_TEXTS,
    "double": st.floats(-1e15, 1e15) | st.integers(-(2**53), 2**53) | st.integers(-9, 9),
    "integer": st.integers(-(2**53), 2**53) | st.integers(-200, 200),
    "boolean": st.booleans(),
    "date": st.sampled_from(["2025-11-24", "24-Nov-25", "2025-02-30", ""]),
    "enum": st.sampled_from(["gold", "it's {x}", ""]),
    "currencyCode": st.sampled_from(["INR", "EUR", ""]),
}


@st.composite
def events_of(draw: st.DrawFn, definition: EventDefinition, *, usual: bool = False) -> bytes:
    """Return an event of that definition, most of its values of the right type.

    A `usual` one has no value of another type, and no field that is not declared.
    """
    fields = {}
    fitting = _USUAL if usual else _FITTING
    for declared in definition.fields:
        if declared.required or draw(st.booleans()):
            odd = not usual and draw(st.integers(0, 9)) == 0
            fields[declared.name] = draw(VALUES if odd else fitting[declared.type.value])
    if not usual and draw(st.integers(0, 5)) == 0:
        fields[draw(TEXTS)] = draw(VALUES)
    event: dict[str, Any] = {
        "eventId": draw(st.sampled_from(["a", GOOD["eventId"], " x ", "~" if usual else "é"])),
        "eventName": "generated",
        "orgId": 1800,
        "customer": {"identifiers": draw(_CUSTOMERS[usual])},
        "fields": fields,
    }
    if draw(st.booleans()):
        event["occurredAt"] = draw(
            st.sampled_from([NOW_MS, "2025-11-24T15:00:00Z", NOW_MS + DAY_MS])
        )
    if draw(st.booleans()):
        event["tillCode"] = draw(st.sampled_from(["T1", "", "T2" if usual else "é", None]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
    ascii_only = draw(st.booleans())
    return json.dumps(event, ensure_ascii=ascii_only, separators=separators).encode()


_IDENTIFIERS: Final = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["externalId", "EXTERNALID", "mobile", "email"]),
        "value": st.sampled_from(["919812345678", " 919812345678", "a@b.co", "A@b.co", "x", "é"]),
    },
    optional={
        "source": st.sampled_from(["WEB", "", None]),
        "accountId": st.sampled_from(["7", "", None]),
    },
)
_USUAL_IDENTIFIERS: Final = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["externalId", "mobile", "userId"]),
        "value": st.sampled_from(["919812345678", "98123456"]),
    },
    optional={"source": st.sampled_from(["WEB", ""]), "accountId": st.sampled_from(["7", ""])},
)
_CUSTOMERS: Final = {
    False: st.lists(_IDENTIFIERS, min_size=1, max_size=2),
    True: st.lists(_USUAL_IDENTIFIERS, min_size=1, max_size=2),
}

_PASSING: Final = st.sampled_from(
    [0, 0, 1, 3_600_000, DAY_MS, 3 * DAY_MS, 26 * DAY_MS, 40 * DAY_MS]
)
_BODIES: Final[list[Callable[[dict[str, Any]], dict[str, Any]]]] = [
    lambda event: event,
    lambda event: event | {"fields": event["fields"] | {"price": 1}},
    lambda event: event | {"orgId": 1801},
    lambda event: event | {"fields": {}},
    lambda event: event | {"eventName": "daily", "fields": {"orderId": "O-1"}},
    lambda event: event | {"eventName": "daily", "fields": {"orderId": "O-1", "note": "x"}},
    lambda event: event | {"eventName": "pointsCounted", "fields": {}},
]
DAILY: Final[dict[str, Any]] = {
    "eventName": "daily",
    "actions": ["EMFConsumer", "EIConsumer"],
    "uniquenessWindow": DAY_CLASSES[0],
    "fields": [
        field("customer", "customer", identifierType="mobile"),
        field("orderId", "string", isUniqueKeyField="true"),
    ],
}
"""An event whose unique key is remembered for a day: 256 generations are 26 days."""


@st.composite
def logs(draw: st.DrawFn, longest: int = 25) -> list[Record]:
    """Return a partition's log: few ids and customers, time that stands, passes or leaps."""
    records = []
    clock_ms = NOW_MS
    for offset in range(draw(st.integers(1, longest))):
        clock_ms += draw(_PASSING)
        value = draw(
            st.one_of(
                _log_events(clock_ms), _log_events(clock_ms), st.sampled_from([None, b"{", b"[]"])
            )
        )
        records.append(Record(0, offset, clock_ms, None, value, ()))
    return records


@st.composite
def _log_events(draw: st.DrawFn, clock_ms: int) -> bytes:
    customer = draw(st.sampled_from(["919812345678", "919812345679"]))
    age = draw(st.sampled_from([0, 0, 0, DAY_MS, 29 * DAY_MS, 31 * DAY_MS]))
    event = copy.deepcopy(GOOD) | {
        "eventId": draw(st.sampled_from(["a", "b", "c", GOOD["eventId"]])),
        "occurredAt": clock_ms - age,
        "customer": {"identifiers": [{"type": "mobile", "value": customer}]},
    }
    return raw(draw(st.sampled_from(_BODIES))(event))
