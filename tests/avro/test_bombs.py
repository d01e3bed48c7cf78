"""Records that are made to break whoever reads them: each is refused, soon, and for a reason."""

import io
import json
from collections.abc import Callable
from typing import Any, Final

import fastavro
import pytest

from loyaltystream.audit.opening import stamp_letter
from loyaltystream.audit.version import of_event, of_letter
from loyaltystream.avro import schemas
from loyaltystream.avro.event_reader import EventReader
from loyaltystream.avro.schemas import Schema, parse
from loyaltystream.avro.walking import MAX_DEPTH
from loyaltystream.avro.wire import frame
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.letters.letter import LetterReader
from loyaltystream.sealing.ring import NO_KEYS
from loyaltystream.tailing.decoding import UNDECODABLE, reader_of
from loyaltystream.verdicts import Reason, Violation
from tests.core import LETTER_SCHEMA_ID, TOPICS, Partition, event, header, outputs, raw
from tests.core import record as arrived

SCHEMA_ID: Final = 7
MANY: Final = b"\xfe\xff\xff\xff\x0f"
"""The number 2^31 - 1."""
WRAPPING: Final = b"\xff" * 9 + b"\x7f"
"""A number of 70 bits, which fastavro takes for one of 64."""


def record(*fields: dict[str, Any], name: str = schemas.BEHAVIORAL_EVENT) -> Schema:
    """Return a schema under the name of an event, as somebody else may register it."""
    return parse({"type": "record", "name": name, "fields": list(fields)})


def one(kind: object) -> Schema:
    """Return a schema with one field of that type."""
    return record({"name": "x", "type": kind})


ITSELF: Final = one(["null", schemas.BEHAVIORAL_EVENT])
PAIR: Final = record({"name": "a", "type": schemas.BEHAVIORAL_EVENT}, {"name": "b", "type": "null"})
NULLS: Final = one({"type": "array", "items": "null"})
WIDE: Final = one(
    {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Wide",
            "fields": [{"name": f"n{number}", "type": "null"} for number in range(200)],
        },
    }
)
DECIMAL: Final = one({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})
MILLIONS: Final = b"\x80\x89\x7a"
"""The number 1,000,000."""

BOMBS: Final = {
    "a block of 2^31 nulls": (NULLS, MANY + b"\0", "more values than its bytes can hold"),
    "a negative block of them": (NULLS, b"\xfd\xff\xff\xff\x0f\x02\0", "more values"),
    "many blocks of a million": (NULLS, MILLIONS * 5000 + b"\0", "more values"),
    "records of nothing": (WIDE, MILLIONS + b"\0", "more values"),
    "ten thousand levels": (ITSELF, b"\x02" * 10_000 + b"\0", f"deeper than {MAX_DEPTH} levels"),
    "a record in itself": (PAIR, b"", f"deeper than {MAX_DEPTH} levels"),
    "a decimal of a mebibyte": (DECIMAL, b"\x80\x80\x80\x01" + b"\x7f" * 2**20, "decimal of"),
    "a text that is longer": (one("string"), b"\x08abc", "4 bytes are said to follow byte 1"),
    "a text of 2^62 bytes": (one("string"), b"\xfe" + b"\xff" * 7 + b"\x7f", "said to follow"),
    "a text of less than nothing": (one("string"), b"\x09abc", "-5 bytes are said to follow"),
    "a number of 70 bits": (one("long"), WRAPPING, "a number of more than 64 bits"),
    "a number without end": (one("long"), b"\xff" * 2**20, "a number of more than 64 bits"),
    "an int of 40 bits": (one("int"), b"\xff" * 5 + b"\x01", "a number of more than 32 bits"),
    "a boolean of 5": (one("boolean"), b"\x05", "byte 0 is no boolean"),
    "a branch that is not there": (one(["null", "long"]), b"\x04", "2 is none of 2 branches"),
    "a branch before the first": (one(["null", "long"]), b"\x01", "-1 is none of 2 branches"),
    "a symbol that is not there": (
        one({"type": "enum", "name": "E", "symbols": ["A"]}),
        b"\x02",
        "1 is none of 1 symbols",
    ),
    "a time beyond the calendar": (
        one({"type": "long", "logicalType": "timestamp-millis"}),
        b"\xfe" + b"\xff" * 8 + b"\x01",
        "OverflowError",
    ),
    "junk behind it": (one("long"), b"\x02" + b"\0" * 8, "8 bytes are left over"),
    "nothing": (one("long"), b"", "cut off at byte 0"),
}


@pytest.mark.parametrize(("schema", "content", "why"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_wherever_it_is_read(schema: Schema, content: bytes, why: str) -> None:
    """Whoever reads a record by the schema of somebody else gets a reason, at once."""
    with pytest.raises(SchemaError) as refused:
        schemas.decode(schema, None, content)
    assert why in str(refused.value)
    value = frame(SCHEMA_ID) + content
    shown = reader_of("emf", lambda _: schema)(value)
    assert (shown.kind, why in (shown.problem or "")) == (UNDECODABLE, True)
    found = EventReader(lambda _: schema).read(value)
    assert isinstance(found, Violation)
    assert found.reason is Reason.AVRO_DECODE
    letter = LetterReader(lambda _: schema).read("letters", Record(0, 0, 0, None, value))
    assert isinstance(letter, str)


def test_what_is_large_and_right_is_read() -> None:
    """Bounds are those of bombs: many entries, negative blocks and deep values are no fault."""
    whole = b"\xd0\x0f" + b"\0" * 1000 + b"\0"
    assert schemas.decode(one({"type": "array", "items": "long"}), None, whole) == {"x": [0] * 1000}
    blocked = b"\x03\x04\x02\x04\0"
    assert schemas.decode(one({"type": "array", "items": "long"}), None, blocked) == {"x": [1, 2]}
    assert "x" in schemas.decode(ITSELF, None, b"\x02" * (MAX_DEPTH // 3 - 1) + b"\0")
    digits = b"\x78" + b"\x01" * 60
    assert schemas.decode(DECIMAL, None, digits)["x"] > 0


def routed() -> bytes:
    """Return a value of `EMFConsumer` as INGEST writes it."""
    [output] = outputs(Partition().judge([arrived(raw(event()))]), TOPICS.emf)
    assert output.value is not None
    return output.value


def own(_schema_id: int) -> Schema | None:
    return schemas.load(schemas.BEHAVIORAL_EVENT)


def test_an_event_that_is_cut_off_anywhere_is_refused() -> None:
    """No beginning of an event is one, and none with anything behind it: each has a reason."""
    value, reader = routed(), EventReader(own)
    assert isinstance(reader.read(value), dict)
    for content in [*(value[:end] for end in range(len(value))), value + b"\0" * 8]:
        found = reader.read(content)
        assert isinstance(found, Violation)
        assert found.reason is (Reason.AVRO_FRAME if len(content) < 5 else Reason.AVRO_DECODE)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda value: b"\x01" + value[1:], id="another magic byte"),
        pytest.param(lambda value: value[5:], id="no frame"),
        pytest.param(lambda value: value[:4], id="four bytes"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_a_value_in_no_frame_is_refused(changed: Callable[[bytes], bytes]) -> None:
    """What is not in the registry's wire format is told as such, whoever reads it."""
    value = changed(routed())
    found = EventReader(own).read(value)
    assert isinstance(found, Violation)
    assert found.reason is Reason.AVRO_FRAME
    assert reader_of("emf", own)(value).kind == UNDECODABLE
    assert of_event(value) is None
    assert of_letter(value) is None


@pytest.mark.parametrize("schema_id", [0, 99, 2**31 - 1, 2**31, 2**32 - 1])
def test_an_unknown_schema_is_a_reason(schema_id: int) -> None:
    """A record whose schema the registry does not have is refused, whatever its number."""
    found = EventReader(lambda _: None).read(frame(schema_id) + b"x")
    assert found == Violation(Reason.SCHEMA_ID, "", f"the registry has no schema {schema_id}")


def test_what_is_no_record_of_avro_is_a_reason() -> None:
    """An id of a text's schema, as keys may have one, or of no Avro at all ends no worker."""

    def refusing(_schema_id: int) -> Schema | None:
        raise SchemaError("schema 7 is PROTOBUF, not Avro")

    found = EventReader(refusing).read(frame(SCHEMA_ID) + b"x")
    assert found == Violation(Reason.SCHEMA_ID, "", "schema 7 is PROTOBUF, not Avro")
    value = Record(0, 0, 0, None, frame(SCHEMA_ID) + b"x")
    assert LetterReader(refusing).read("letters", value) == "schema 7 is PROTOBUF, not Avro"


def test_the_schema_of_another_record_is_a_reason() -> None:
    """An event is read by no schema of another name."""
    found = EventReader(lambda _: record(name="a.Bill")).read(frame(SCHEMA_ID))
    assert isinstance(found, Violation)
    assert found.reason is Reason.SCHEMA_ID


def test_a_schema_that_does_not_go_with_ours_is_a_reason() -> None:
    """An event whose writer left out what ours demands can't be decoded, and that is told."""
    found = EventReader(lambda _: one("long")).read(frame(SCHEMA_ID) + b"\x02")
    assert isinstance(found, Violation)
    assert found.reason is Reason.AVRO_DECODE


def test_no_schema_of_ours_can_carry_a_bomb() -> None:
    """No record of ours holds itself, arrays of nothing, or decimals: FULL_TRANSITIVE keeps it."""
    for path in sorted(schemas.folder().glob("*.avsc")):
        content = json.loads(schemas.text(schemas.load(path.stem)))
        assert '"decimal"' not in json.dumps(content)
        _demand_finite(content, frozenset())


def _demand_finite(schema: Any, around: frozenset[str]) -> None:
    """Fail for a type that lies in itself, and for an array of what takes no bytes."""
    if isinstance(schema, str):
        assert schema not in around
    elif isinstance(schema, list):
        for branch in schema:
            _demand_finite(branch, around)
    elif schema["type"] == "record":
        assert schema["fields"]
        for field in schema["fields"]:
            _demand_finite(field["type"], around | {schema["name"]})
    elif schema["type"] in {"array", "map"}:
        each = schema.get("items", schema.get("values"))
        assert each != "null"
        _demand_finite(each, around)


def test_the_audit_reads_no_bomb() -> None:
    """A routed value, or a letter, of endless numbers has no version, and costs no time."""
    for content in (WRAPPING, b"\xff" * 2**20, b"\x02\x09abc", MANY * 3):
        assert of_event(frame(SCHEMA_ID) + content) is None
        value = frame(LETTER_SCHEMA_ID) + content
        assert of_letter(value) is None
        assert stamp_letter(Record(0, 0, 0, None, value), NO_KEYS)


def test_avro_is_no_dialect() -> None:
    """Whoever sends Avro to the ingest topic gets a letter: events come in as JSON."""
    [rejected] = outputs(Partition().judge([arrived(routed())]), TOPICS.dead_letter)
    assert header(rejected, "reason") == "ENCODING"


def test_fastavro_alone_takes_what_is_refused_here() -> None:
    """Without the walk before it, the library lets a number of 70 bits wrap: so it is needed."""
    assert fastavro.schemaless_reader(io.BytesIO(WRAPPING), one("long"), None) == {"x": -(2**63)}
