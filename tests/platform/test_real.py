"""The real Kafka and the real registry."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.errors import ConfigurationError
from loyaltystream.platform import Addresses, LocalPlatform, Service
from loyaltystream.platform.jvm import java
from loyaltystream.settings import PlatformSettings, variable

pytestmark = pytest.mark.broker

SCHEMA = '{"type": "record", "name": "Kept", "fields": [{"name": "id", "type": "long"}]}'


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's Java, which looks much like ours."""
    argv = [
        str(java()),
        "-Xmx32m",
        "-Dloyaltystream.start=other",
        "-m",
        "jdk.httpserver",
        "-p",
        "0",
    ]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as child:
        yield child
        child.kill()


def test_both_serve_their_clients(platform: LocalPlatform) -> None:
    """After a start, Kafka answers a stock client and the registry its Confluent API."""
    addresses = platform.start()
    assert _admin(addresses).list_topics(timeout=10).brokers
    assert _call(addresses, "GET", "/subjects") == []
    assert [state.running for state in platform.status()] == [True, True]


def test_they_listen_on_the_loopback_interface_only(platform: LocalPlatform) -> None:
    """Nothing of the platform can be reached from another machine."""
    listening = [
        connection.laddr.ip
        for state in platform.status()
        for connection in psutil.Process(state.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_a_second_start_leaves_both_alone(
    platform: LocalPlatform, platform_settings: PlatformSettings
) -> None:
    """A start of what runs, by anybody, returns the same addresses and restarts nothing."""
    pids = [state.pid for state in platform.status()]
    assert LocalPlatform(platform_settings).start() == platform.start()
    assert [state.pid for state in platform.status()] == pids


def test_a_killed_registry_keeps_its_ids(platform: LocalPlatform) -> None:
    """A schema that was registered right before a kill -9 has the same id after the restart."""
    addresses = platform.start()
    body = {"schema": SCHEMA}
    before = _call(addresses, "POST", "/subjects/kept-value/versions", body)
    _send(signal.SIGKILL, platform.registry)
    platform.registry.start()
    assert _call(addresses, "POST", "/subjects/kept-value/versions", body) == before
    kept = _call(addresses, "GET", f"/schemas/ids/{before['id']}")["schema"]
    assert json.loads(kept) == json.loads(SCHEMA)


def test_a_killed_broker_keeps_its_topics(platform: LocalPlatform) -> None:
    """After a kill -9 the broker is the same cluster, at the same address, with its topics."""
    addresses = platform.start()
    admin = _admin(addresses)
    admin.create_topics([NewTopic("kept", 3, 1)])["kept"].result(10)
    before = admin.list_topics(timeout=10)
    _send(signal.SIGKILL, platform.broker)
    platform.broker.start()
    assert platform.broker.address == addresses.bootstrap_servers
    after = _admin(addresses).list_topics(timeout=10)
    assert after.cluster_id == before.cluster_id
    assert len(after.topics["kept"].partitions) == 3


def test_a_frozen_broker_is_stopped_and_comes_back(platform: LocalPlatform) -> None:
    """A broker that SIGSTOP holds is still there; it can be stopped, and started again."""
    before = _send(signal.SIGSTOP, platform.broker)
    assert platform.broker.pid == before
    assert platform.broker.stop() is True
    platform.broker.start()
    assert platform.broker.pid not in {None, before}


def test_a_chosen_port_that_is_taken_is_refused_by_name(
    platform: LocalPlatform, tmp_path: Path
) -> None:
    """A second platform on the same port hears which process has it, and starts nothing."""
    port = int(platform.start().bootstrap_servers.rpartition(":")[2])
    other = LocalPlatform(PlatformSettings(directory=tmp_path, kafka_port=port, registry_port=0))
    with pytest.raises(ConfigurationError, match=rf"held by java \(pid {platform.broker.pid}, "):
        other.start()
    assert [state.running for state in other.status()] == [False, False]


def test_the_command_line_starts_what_outlives_it_and_stops_only_that(
    platform: LocalPlatform, platform_settings: PlatformSettings, bystander: subprocess.Popen[bytes]
) -> None:
    """Killed processes start again from a command, outlive it, and a stop ends exactly those."""
    addresses = platform.start()
    killed = [_send(signal.SIGKILL, one) for one in (platform.broker, platform.registry)]
    _command(platform_settings, "start")
    running = [state.pid for state in platform.status()]
    assert None not in running
    assert not set(running) & set(killed)
    assert platform.start() == addresses

    _command(platform_settings, "stop")
    assert [state.running for state in platform.status()] == [False, False]
    assert bystander.poll() is None


def test_a_log_tells_of_the_start(platform: LocalPlatform) -> None:
    """Each log says that its service has started, and holds no error."""
    logs = platform.logs(lines=100)
    assert any("started" in line for line in logs["kafka"])
    assert any("started" in line for line in logs["registry"])
    assert not [line for lines in logs.values() for line in lines if " ERROR " in line]


def _send(sign: signal.Signals, service: Service) -> int:
    pid = service.pid
    assert pid is not None
    os.kill(pid, sign)
    return pid


def _admin(addresses: Addresses) -> Any:
    return AdminClient({"bootstrap.servers": addresses.bootstrap_servers})


def _call(addresses: Addresses, method: str, path: str, body: Any = None) -> Any:
    url = urlsplit(addresses.registry_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    connection.request(method, url.path + path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 200, answer
    return answer


def _command(settings: PlatformSettings, command: str) -> None:
    names = {name: getattr(settings, name) for name in type(settings).model_fields}
    chosen = {variable(f"platform.{name}"): str(value) for name, value in names.items() if value}
    ports = {variable(f"platform.{name}"): "0" for name in ("kafka_port", "registry_port")}
    argv = [sys.executable, "-m", "loyaltystream", "platform", command]
    subprocess.run(argv, check=True, env={**os.environ, **chosen, **ports}, capture_output=True)
