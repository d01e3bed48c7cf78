"""The registry's client, asked of a server that fails in every way that one can."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from loyaltystream.avro import schemas
from loyaltystream.avro.registry import Registry
from loyaltystream.clients import RegistrySettings
from loyaltystream.errors import ConfigurationError, RetryableBrokerError, SchemaError
from tests.certificates import Authority
from tests.registry import Answer, StubRegistry, serving

TOPIC: Final = "EMFConsumer"
EVENT: Final = schemas.load(schemas.BEHAVIORAL_EVENT)
LETTER: Final = schemas.load(schemas.DEAD_LETTER)
HASTY: Final = {"max.retries": "0"}
"""Properties of a client that asks once."""
PAGE: Final = b"<html>" + b"sorry " * 200 + b"</html>"


@pytest.fixture
def stub() -> Iterator[StubRegistry]:
    """Return a registry that works, until it is told otherwise."""
    with serving() as stub:
        yield stub


def registry(stub: StubRegistry, paused: list[float] | None = None, **client: str) -> Registry:
    """Return its client, with these properties (dots are underscores)."""
    given = {name.replace("_", "."): SecretStr(value) for name, value in client.items()}
    properties = {name: SecretStr(value) for name, value in HASTY.items()} | given
    pauses = [] if paused is None else paused
    return Registry(RegistrySettings(url=stub.url, client=properties), pauses.append)


def told(error: pytest.ExceptionInfo[Exception]) -> str:
    """Return what a person reads: one line, not too long."""
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_what_was_registered_is_found_and_read(stub: StubRegistry) -> None:
    """A schema has one id, under which its very self is read."""
    ours = registry(stub)
    given = ours.register(TOPIC, EVENT)
    assert ours.demand(TOPIC, EVENT) == given
    assert ours.versions(TOPIC, EVENT) == [EVENT]
    found = ours.writer_schema(given)
    assert found is not None
    assert schemas.text(found) == schemas.text(EVENT)


def test_a_missing_schema_is_told_with_what_to_do(stub: StubRegistry) -> None:
    """An empty registry is a matter for `init`, and no outage."""
    with pytest.raises(SchemaError) as error:
        registry(stub).demand(TOPIC, EVENT)
    assert "`loyaltystream init` registers all of them" in told(error)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b'{"error_code":50001,"message":"store"}'),
        Answer(502, PAGE),
        Answer(503, PAGE),
        Answer(429, b""),
        Answer(400, PAGE),
        Answer(302, b""),
        Answer(404, PAGE),
        Answer(404, b'{"message":"no route"}'),
        Answer(200, PAGE),
        Answer(200, b""),
        Answer(200, b"{}"),
        Answer(200, b"[]"),
        Answer(200, b'"x"'),
        Answer(200, b'{"schema": 5}'),
        Answer(200, b'{"schema": "{"}'),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:12].decode()}",
)
def test_what_no_registry_says_is_an_outage(stub: StubRegistry, answer: Answer) -> None:
    """An error, or another server's page, is never taken for word that there is no schema."""
    ours = registry(stub)
    given = ours.register(TOPIC, EVENT)
    stub.instead = lambda _path: answer
    with pytest.raises(RetryableBrokerError) as error:
        ours.writer_schema(given)
    assert stub.url in told(error)
    stub.instead = lambda _path: None
    assert ours.writer_schema(given) is not None


@pytest.mark.parametrize("answer", [Answer(500), Answer(404, PAGE), Answer(200, b"{}")])
def test_looking_up_needs_a_registrys_answer(stub: StubRegistry, answer: Answer) -> None:
    """At its start a worker waits for a registry that answers, and believes nothing else."""
    ours = registry(stub)
    stub.instead = lambda _path: answer
    with pytest.raises(RetryableBrokerError) as error:
        ours.demand(TOPIC, EVENT)
    assert "EMFConsumer-loyalty.event.v1.BehavioralEvent" in told(error)


def test_nobody_there_is_an_outage() -> None:
    """Where nothing listens, the address that was asked is told."""
    settings = RegistrySettings(url="http://127.0.0.1:9", client={"max.retries": SecretStr("0")})
    with pytest.raises(RetryableBrokerError, match=r"http://127\.0\.0\.1:9"):
        Registry(settings).find(TOPIC, EVENT)


def test_a_silent_registry_is_given_up(stub: StubRegistry) -> None:
    """A registry that takes a request and never answers holds nobody up for ever."""
    stub.instead = stub.be_silent
    with pytest.raises(RetryableBrokerError, match="timed out"):
        registry(stub, timeout="0.2").find(TOPIC, EVENT)


def test_a_client_is_patient_by_itself(stub: StubRegistry) -> None:
    """A registry that fails once and then answers is asked again before anybody hears of it."""
    failed = iter([Answer(503, PAGE)])
    stub.instead = lambda _path: next(failed, None)
    settings = RegistrySettings(url=stub.url, client={"retries.wait.ms": SecretStr("1")})
    assert Registry(settings).find(TOPIC, EVENT) is None


def test_a_known_schema_needs_no_registry(stub: StubRegistry) -> None:
    """What was read once is read for as long as the worker lives."""
    ours = registry(stub)
    given = ours.register(TOPIC, EVENT)
    found = ours.writer_schema(given)
    stub.instead = lambda _path: Answer(503)
    assert ours.writer_schema(given) is found


def test_what_was_told_can_be_asked_anew(stub: StubRegistry) -> None:
    """Whoever finds that it is another registry's word has nothing left of it."""
    ours = registry(stub)
    given = ours.register(TOPIC, EVENT)
    ours.writer_schema(given)
    stub.restart(given)
    ours.forget()
    assert ours.writer_schema(given) is None


def test_a_schema_may_be_registered_later(stub: StubRegistry) -> None:
    """Word that there is no such schema holds for that moment only."""
    ours = registry(stub)
    assert ours.writer_schema(1) is None
    ours.register(TOPIC, EVENT)
    assert ours.writer_schema(1) is not None


@pytest.mark.parametrize("first_id", [1, 5])
def test_an_emptied_registry_is_not_believed(stub: StubRegistry, first_id: int) -> None:
    """One that no longer gives an id that it gave condemns no record, until it does again."""
    paused: list[float] = []
    ours = registry(stub, paused)
    ours.register(TOPIC, EVENT)
    ours.demand(TOPIC, EVENT)
    before = stub.kept
    stub.restart(first_id)
    with pytest.raises(RetryableBrokerError) as error:
        ours.writer_schema(40)
    assert "now has not. It was emptied or restored" in told(error)
    assert paused == [1.0]
    stub.kept = before
    assert ours.writer_schema(40) is None


def test_other_ids_are_not_believed(stub: StubRegistry) -> None:
    """One that was emptied and filled again under other ids condemns no record either."""
    ours = registry(stub)
    ours.register(TOPIC, EVENT)
    ours.demand(TOPIC, EVENT)
    stub.restart(5)
    registry(stub).register(TOPIC, EVENT)
    with pytest.raises(RetryableBrokerError) as error:
        ours.writer_schema(40)
    assert "gave EMFConsumer-loyalty.event.v1.BehavioralEvent the id 1, and now gives id 5" in told(
        error
    )


def test_a_number_that_no_registry_gives_is_not_asked_for(stub: StubRegistry) -> None:
    """Four bytes hold numbers that registries refuse in their own ways: these are unknown."""
    for schema_id in (2**31, 2**32 - 1):
        assert registry(stub).writer_schema(schema_id) is None
    assert stub.asked == []


@pytest.mark.parametrize(
    ("kind", "schema", "why"),
    [
        ("PROTOBUF", 'syntax = "proto3";', "is PROTOBUF, not Avro"),
        ("AVRO", '"string"', "not of a record"),
        ("AVRO", '{"type": "what"}', "not an Avro schema"),
        ("AVRO", "[" * 100_000 + "]" * 100_000, "nested too deep"),
    ],
    ids=["protobuf", "a text", "a type that is none", "a bomb"],
)
def test_what_is_no_record_is_no_outage(
    stub: StubRegistry, kind: str, schema: str, why: str
) -> None:
    """A schema of somebody else's is refused with the record, and nobody waits for it."""
    stub.keep(7, schema, kind)
    with pytest.raises(SchemaError) as error:
        registry(stub).writer_schema(7)
    assert why in told(error)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_sign_in_is_a_wrong_setting(stub: StubRegistry, status: int) -> None:
    """Who may not ask is told which setting says who asks: waiting would not help."""
    stub.instead = lambda _path: Answer(status, b'{"error_code":%d,"message":"who?"}' % status)
    with pytest.raises(ConfigurationError) as error:
        registry(stub, basic_auth_user_info="me:canary").find(TOPIC, EVENT)
    assert "registry.client says how to sign in" in told(error)
    assert "canary" not in told(error)


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_schema_is_told_as_the_registry_tells_it(stub: StubRegistry, status: int) -> None:
    """What does not go with the versions before it is told in the registry's words."""
    refusal = json.dumps({"error_code": status, "message": "FIELD_GONE at /fields/3"}).encode()
    stub.instead = lambda path: Answer(status, refusal) if path.endswith("versions") else None
    with pytest.raises(SchemaError) as error:
        registry(stub).register(TOPIC, LETTER)
    assert "FIELD_GONE at /fields/3" in told(error)


def test_a_name_and_password_sign_in(stub: StubRegistry) -> None:
    """Basic authentication is what the client's property says."""
    registry(stub, basic_auth_user_info="me:secret").find(TOPIC, EVENT)
    assert stub.signed == ["Basic bWU6c2VjcmV0"]


def test_a_token_signs_in(stub: StubRegistry) -> None:
    """A bearer's token goes along with each question."""
    client = registry(
        stub,
        bearer_auth_credentials_source="STATIC_TOKEN",
        bearer_auth_token="token-1",  # noqa: S106 (of nobody)
        bearer_auth_logical_cluster="any",
    )
    client.find(TOPIC, EVENT)
    assert stub.signed == ["Bearer token-1"]


class Trust:
    """A registry that asks for a certificate, and what its clients need."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "ours")
        self.client = self.authority.issue("client")
        server = self.authority.issue("server")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(server.certificate, server.key)
        self.context.load_verify_locations(self.authority.file)
        self.context.verify_mode = ssl.CERT_REQUIRED

    def properties(self, **changes: str) -> dict[str, Any]:
        """Return properties that fit, some changed."""
        return {
            "ssl_ca_location": str(self.authority.file),
            "ssl_certificate_location": str(self.client.certificate),
            "ssl_key_location": str(self.client.key),
        } | changes


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Return certificates of one authority."""
    return Trust(tmp_path)


def test_certificates_of_both_sides_sign_in(trust: Trust) -> None:
    """A registry with TLS is asked by who shows a certificate that it trusts."""
    with serving(context=trust.context) as stub:
        assert registry(stub, **trust.properties()).register(TOPIC, EVENT) == 1


def test_a_client_without_a_certificate_is_told_so(trust: Trust) -> None:
    """Without a certificate the way to the registry fails, in one line with its address."""
    with serving(context=trust.context) as stub:
        client = registry(stub, ssl_ca_location=str(trust.authority.file))
        with pytest.raises(RetryableBrokerError) as error:
            client.find(TOPIC, EVENT)
        assert stub.url in told(error)


def test_a_registry_of_another_authority_is_not_asked(trust: Trust, tmp_path: Path) -> None:
    """Whoever is not trusted learns nothing, least of all a password."""
    other = Authority(tmp_path, "other")
    with serving(context=trust.context) as stub:
        client = registry(
            stub,
            **trust.properties(ssl_ca_location=str(other.file)),
            basic_auth_user_info="me:secret",
        )
        with pytest.raises(RetryableBrokerError, match="CERTIFICATE_VERIFY_FAILED"):
            client.find(TOPIC, EVENT)
        assert stub.signed == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("basic.auth.user.inof", "canary", "basic.auth.user.inof"),
        ("basic.auth.user.info", "canary", "basic.auth.user.info must be in the form"),
        ("max.retries", "canary", "max.retries is not a number"),
        ("ssl.ca.location", "/no/canary", "ssl.ca.location names no file that is there"),
        ("ssl.key.location", __file__, "ssl.certificate.location required"),
        ("ssl.certificate.location", __file__, "PEM"),
        ("bearer.auth.credentials.source", "STATIC_TOKEN", "logical.cluster"),
        ("bearer.auth.credentials.source", "canary", "bearer.auth.credentials.source"),
    ],
)
def test_a_wrong_property_is_told_in_a_line(name: str, value: str, why: str) -> None:
    """A property that the client can't use is a wrong setting; its value is not told."""
    with pytest.raises(ConfigurationError) as error:
        Registry(RegistrySettings(client={name: SecretStr(value)}))
    assert told(error).startswith("registry.client: ")
    assert why in told(error)
    assert "canary" not in told(error).replace(why, "")
