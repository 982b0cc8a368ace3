import socket
from ipaddress import ip_address

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.outputs.address import Listen
from fer_edge.device.run import RunConfig
from fer_edge.device.web.serving import SHORTEST_TOKEN, Serving, is_loopback, own_address
from fer_edge.errors import ConfigError
from tests.device.web.conftest import TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_the_loopback_needs_no_token(host):
    assert is_loopback(host)
    assert Serving(Listen(host, 80)).token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "raspberrypi", "localhost.example"])
def test_any_other_address_gets_one(host):
    first, second = (Serving(Listen(host, 80)).token for _ in range(2))
    assert len(first) >= 32
    assert first != second
    assert Serving(Listen(host, 80), TOKEN).token == TOKEN


@pytest.mark.parametrize("token", ["", "short", "x" * (SHORTEST_TOKEN - 1), "with spaces in between", "é" * 20])
def test_a_token_that_can_be_guessed_or_not_be_sent(token):
    with pytest.raises(ConfigError, match="expected a `token`") as refused:
        Serving(Listen("0.0.0.0", 80), token)
    assert refused.value.option == "token"


def test_without_a_page_nothing_is_served(tmp_path):
    assert RunConfig().serving is None
    for settings in ({"token": TOKEN}, {"tls_cert": tmp_path, "tls_key": tmp_path}):
        with pytest.raises(ConfigError, match="give `serve`"):
            RunConfig(**settings)


def test_certificate_and_key_go_together(tmp_path):
    with pytest.raises(ConfigError, match="go together"):
        Serving(Listen("127.0.0.1", 80), None, tmp_path, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "host:port"],
        ["serve", "127.0.0.1:0"],
        ["serve", "--tls-cert", "/no/such/file"],
        ["serve", "--token", "short"],
        ["run", "--source", "demo", "--serve", "nowhere"],
        ["run", "--source", "demo", "--serve", "8080", "--token", "short"],
        ["run", "--source", "demo", "--frames", "1", "--token", "short"],
        ["run", "--source", "demo", "--frames", "1", "--token", TOKEN],
        ["run", "--source", "demo", "--tls-cert", "setup.cfg", "--tls-key", "setup.cfg"],
    ],
)
def test_wrong_usage(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_token_of_the_environment_may_be_left_unused(tmp_path):
    arguments = ["run", "--source", "demo", "--frames", "1", "--jsonl", str(tmp_path / "out.jsonl")]
    result = CliRunner().invoke(main, arguments, env={"FER_EDGE_TOKEN": TOKEN})
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("ipv6", [False, True])
def test_the_own_address_is_one_that_can_be_opened(ipv6):
    address = ip_address(own_address(ipv6))
    assert address.version == (6 if ipv6 else 4)
    assert not address.is_unspecified
    with socket.create_server((str(address), 0), family=socket.AF_INET6 if ipv6 else socket.AF_INET):
        pass


def test_without_a_network_it_is_the_loopback(monkeypatch):
    def unreachable(self, address):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.socket.connect", unreachable)
    assert (own_address(), own_address(ipv6=True)) == ("127.0.0.1", "::1")
