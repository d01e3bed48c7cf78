"""A deployment whose broker wants a password over TLS, and whose registry wants a certificate."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Final

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from loyaltystream.story import Recipe, generate
from tests.certificates import Authority
from tests.security.guarded import LISTENER, Guarded, guarded
from tests.shop import QUICK, Shop, opened

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

RECIPE: Final = Recipe(events=300, customers=30, partitions=2)
USER: Final = "loyalty"
PASSWORD: Final = secrets.token_urlsafe()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Return a platform with one user."""
    directory = tmp_path_factory.mktemp("locked") / "here"
    scram = {
        f"{LISTENER}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"{LISTENER}.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    with guarded(directory, "SASL_SSL", scram) as found:
        admin = AdminClient({"bootstrap.servers": found.kafka.bootstrap_servers})
        kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion(USER, kind, PASSWORD.encode())
        admin.alter_user_scram_credentials([user])[USER].result(20)
        yield found


def signed(cluster: Guarded, **changes: str) -> str:
    """Return properties that sign in, some changed (dots are underscores)."""
    properties = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": USER,
        "sasl.password": PASSWORD,
        "ssl.ca.location": str(cluster.authority.file),
    }
    return json.dumps(
        properties | {name.replace("_", "."): value for name, value in changes.items()}
    )


@pytest.fixture(scope="module")
def shop(locked: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment that signs in everywhere."""
    given = {
        "kafka.client": signed(locked),
        "registry.client": json.dumps(locked.signed("registry-client")),
        **QUICK,
    }
    directory = tmp_path_factory.mktemp("signed-in") / "shop"
    with opened(locked.addresses, directory, RECIPE.partitions, **given) as shop:
        yield shop


def test_a_story_over_tls_is_exact(shop: Shop) -> None:
    """Workers, senders and the audit sign in, and nothing is lost or doubled."""
    assert shop.settings.registry.url.startswith("https://")
    shop.send([*generate(RECIPE, 3, now_ms=int(time.time() * 1000))])
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    assert shop.audit().exact
    assert json.loads(shop.command("tail", "notifications", "-n", "1", "--json").stdout)
    assert PASSWORD not in shop.log()


def refused(shop: Shop, client: str) -> str:
    """Return what the doctor says of the broker; a command's one line leads to it."""
    with shop.changed({"kafka.client": client}):
        stopped = shop.command("audit", code=3)
        done = shop.command("doctor", "--json", code=3)
    assert "loyaltystream doctor" in stopped.stderr
    assert PASSWORD not in stopped.stderr + done.stdout + done.stderr
    [found] = [one for one in json.loads(done.stdout)["findings"] if one["kind"] == "BROKER_AWAY"]
    told: str = found["what"]
    return told


def test_a_wrong_password_is_told(shop: Shop, locked: Guarded) -> None:
    """Whoever does not sign in is told so by the broker's own word, without the password."""
    told = refused(shop, signed(locked, sasl_username="nobody"))
    assert "Authentication failed" in told


def test_a_broker_of_another_authority_is_not_trusted(
    shop: Shop, locked: Guarded, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A broker whose certificate nobody vouches for is told no password."""
    other = Authority(tmp_path_factory.mktemp("other"), "other").file
    told = refused(shop, signed(locked, ssl_ca_location=str(other)))
    assert "certificate verify failed" in told


def test_without_tls_nobody_comes_in(shop: Shop) -> None:
    """A client that speaks plainly to a port with TLS is told what it lacks."""
    assert "it speaks TLS" in refused(shop, "{}")
