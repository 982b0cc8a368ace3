import pytest
from starlette.websockets import WebSocketDisconnect

from fer_edge.device.outputs.address import Listen
from fer_edge.device.web.pages import PAGES, address
from fer_edge.device.web.security import HEADERS
from fer_edge.device.web.serving import Serving
from tests.device.web.conftest import TOKEN

OUTSIDE = Serving(Listen("0.0.0.0", 8080), TOKEN)
EVERYTHING = [address(page) for page in PAGES] + ["/api/device", "/static/style.css", "/openapi.json", "/nothing"]


@pytest.mark.parametrize("path", EVERYTHING)
def test_every_answer_has_the_headers(client, path):
    answer = client().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_policy_names_no_other_host():
    assert "http" not in HEADERS["Content-Security-Policy"]
    assert "*" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "192.0.2.7:8080", "[", ""])
def test_another_name_is_refused_on_the_loopback(client, host):
    assert client().get("/api/device", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:9999", "[::1]:8080", "LOCALHOST"])
def test_the_names_of_the_loopback(client, host):
    assert client().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://localhost:8080"])
def test_pages_of_others_may_not_send_photos(client, origin):
    answer = client().post("/api/photo", content=b"x", headers={"Origin": origin, "Content-Type": "image/jpeg"})
    assert answer.status_code == 403


def test_our_pages_may(client):
    headers = {"Origin": "http://127.0.0.1:8080", "Content-Type": "image/jpeg"}
    assert client().post("/api/photo", content=b"x", headers=headers).status_code == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_others_may_not_embed(client, site):
    assert client().get("/api/device", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client().get("/", headers={"Sec-Fetch-Site": site}).status_code == 200  # a link


def test_pages_of_others_may_not_open_a_websocket(client):
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/api/camera", headers={"Origin": "http://evil.example"}),
    ):
        pass


@pytest.mark.parametrize("path", ["/api/device", "/api/photo", "/openapi.json", "/", "/photo", "/nothing"])
def test_without_the_token_nothing_is_answered(client, path):
    page = client(OUTSIDE)
    assert page.get(path).status_code == 401
    assert page.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert page.get(f"{path}?token=wrong").status_code == 401
    assert page.get(path, headers={"Cookie": "fer_edge_8080=wrong"}).status_code == 401
    assert page.get(path, headers={"Cookie": '="\\x'}).status_code == 401


def test_without_the_token_no_websocket_opens(client):
    with pytest.raises(WebSocketDisconnect), client(OUTSIDE).websocket_connect("/api/camera"):
        pass
    with client(OUTSIDE).websocket_connect("/api/camera", headers={"Authorization": f"Bearer {TOKEN}"}):
        pass


def test_a_visitor_without_the_token_is_asked_for_it(client):
    answer = client(OUTSIDE).get("/chart")
    assert "This page is private" in answer.text
    assert client(OUTSIDE).get("/static/style.css").status_code == 200


def test_the_token_opens(client):
    page = client(OUTSIDE)
    assert page.get("/api/device", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/chart", "/api/device", "/api/events", "/openapi.json"])
def test_a_token_in_an_address_does_not_open(client, path):
    page = client(OUTSIDE)
    for query in (f"token={TOKEN}", f"a=b&token={TOKEN}", f"Authorization=Bearer%20{TOKEN}"):
        answer = page.get(f"{path}?{query}", follow_redirects=False)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert TOKEN not in answer.text
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(f"/api/camera?token={TOKEN}"):
        pass


# A browser that is told to name no referrer sends the origin "null" with a form.
@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_the_token_that_is_typed_becomes_a_cookie(client, headers):
    page = client(OUTSIDE)
    answer = page.post("/chart", data={"token": TOKEN}, headers=headers, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/chart"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert page.get("/api/device").status_code == 200


@pytest.mark.parametrize(
    "fields", [{"token": "wrong"}, {}, {"token": TOKEN[:-1]}, {"name": "x" * 5000, "token": TOKEN}]
)
def test_a_wrong_form_is_asked_again(client, fields):
    answer = client(OUTSIDE).post("/", data=fields, follow_redirects=False)
    assert answer.status_code == 401
    assert "This page is private" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_redirect_stays_on_this_host(client):
    answer = client(OUTSIDE).post("//evil.example/", data={"token": TOKEN}, follow_redirects=False)
    assert answer.status_code == 303
    assert not answer.headers["location"].startswith("//")


def test_the_cookie_stays_on_tls(client, tmp_path):
    page = client(Serving(Listen("0.0.0.0", 8080), TOKEN, tmp_path / "cert.pem", tmp_path / "key.pem"))
    answer = page.post("/", data={"token": TOKEN}, follow_redirects=False)
    assert "; Secure" in answer.headers["set-cookie"]


def test_a_token_on_the_loopback_is_asked_for_as_well(client):
    assert client(Serving(Listen("127.0.0.1", 8080), TOKEN)).get("/api/device").status_code == 401


@pytest.mark.parametrize(
    "others", ['prefs={"x":1}; ', "a[b]=c; ", "theme=dark mode; ", "=; ; nothing; ", "fer_edge_80=x; "], ids=str
)
def test_cookies_of_other_services_of_this_host_do_not_matter(client, others):
    page = client(OUTSIDE)
    for cookie in (f"{others}fer_edge_8080={TOKEN}", f"fer_edge_8080={TOKEN}; {others}"):
        assert page.get("/api/device", headers={"Cookie": cookie}).status_code == 200


def test_an_origin_that_is_no_address_is_another(client):
    answer = client().post("/api/doctor", headers={"Origin": "http://["})
    assert answer.status_code == 403
