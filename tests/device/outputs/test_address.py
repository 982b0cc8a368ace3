import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.outputs.address import Broker, Listen, parse_broker, parse_listen


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://host/a", Broker("host", 1883, "a")),
        ("mqtts://host/a/b", Broker("host", 8883, "a/b", True)),
        ("mqtt://host:1/a%20b", Broker("host", 1, "a b")),
        ("mqtt://me:p%40ss%2F@host/a", Broker("host", 1883, "a", False, "me", "p@ss/")),
        ("mqtt://me@host/a", Broker("host", 1883, "a", False, "me")),
        ("mqtt://[::1]:2/a", Broker("::1", 2, "a")),
    ],
)
def test_brokers(url, broker):
    assert parse_broker(url) == broker


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("host/a", "begin with mqtt"),
        ("http://host/a", "begin with mqtt"),
        ("mqtt:///a", "no host"),
        ("mqtt://a..b/a", "no host"),
        ("mqtt://host", "topic"),
        ("mqtt://host/", "topic"),
        ("mqtt://host/a/", "topic"),
        ("mqtt://host//a", "topic"),
        ("mqtt://host/a/+", "topic"),
        ("mqtt://host/a%23", "topic"),
        ("mqtt://host/$SYS/a", "topic"),
        ("mqtt://host/" + "a" * 1001, "longer"),
        ("mqtt://host/a#b", r"%23"),
        ("mqtt://host:0/a", "port 0"),
        ("mqtt://host:99999/a", "its port is no number from 1 to 65535"),
        ("mqtt://me:p#w@host/a", "its user or password holds a #; write %23"),
        ("mqtt://me:p/w@host/a", "its user or password holds a /; write %2F"),
        ("mqtt://me:p[w@host/a", r"its user or password holds a \[; write %5B"),
        ("mqtt://:pw@host/a", "without a user"),
        ("mqtt://host/\udc80", "read"),
    ],
)
def test_no_brokers(url, why):
    with pytest.raises(ValueError, match=why):
        parse_broker(url)


@given(st.text() | st.text().map("mqtt://me:s3cret@{}".format) | st.text().map("mqtt://me:s3cret@host/{}".format))
def test_any_text_is_a_broker_or_refused_and_the_password_is_not_repeated(url):
    said = ""
    try:
        broker = parse_broker(url)
    except ValueError as error:
        said = str(error)
    else:
        broker.host.encode("idna")
        assert 0 < broker.port < 65536
        assert broker.topic
        assert broker.password in (None, "s3cret") or "s3cret" not in url
        said = f"{broker.host} {broker!r}".replace(broker.topic, "").replace(repr(broker.topic), "")
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("value", "listen", "text"),
    [
        ("9100", Listen("127.0.0.1", 9100), "127.0.0.1:9100"),
        ("0.0.0.0:1", Listen("0.0.0.0", 1), "0.0.0.0:1"),
        ("[::1]:65535", Listen("::1", 65535), "[::1]:65535"),
        ("pi.local:80", Listen("pi.local", 80), "pi.local:80"),
    ],
)
def test_listening(value, listen, text):
    assert parse_listen(value) == listen
    assert str(listen) == text


@pytest.mark.parametrize("value", ["http://0.0.0.0:9100", "https://[::1]:8443/", "0.0.0.0:9100/metrics", "//x:1"])
def test_a_scheme_or_path_has_no_place_where_to_listen(value):
    with pytest.raises(ValueError, match="without http:// before it or a path after it"):
        parse_listen(value)


@pytest.mark.parametrize("value", ["", "0", "65536", "x", ":1", "host:", "::1:80", "-1", "1.5", "²", "[]:9"])
def test_no_place_to_listen(value):
    with pytest.raises(ValueError, match="expected PORT or HOST:PORT"):
        parse_listen(value)
