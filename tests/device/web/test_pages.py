import dataclasses
import json
import re
from html import unescape

import jsonschema
import pytest

from fer_edge.device.web.about import describe_model, stated_accuracy
from fer_edge.device.web.hub import Hub
from fer_edge.device.web.pages import FOLDER, PAGES, Facts, address, load_assets, render
from fer_edge.model_file import ModelInfo, read_info, write_info

PATHS = [address(page) for page in PAGES]
OWN = sorted((FOLDER / "static").iterdir()) + sorted((FOLDER / "pages").iterdir())


@pytest.mark.parametrize("path", PATHS)
def test_every_page_says_what_it_is_and_is_not(client, path):
    page = client().get(path)
    assert page.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", "", page.text).split())
    assert "It classifies expressions. It does not read feelings." in text
    assert "Model compact: right for" in text
    assert "AI Act, Article 5(1)(f)" in text
    assert "none is kept" in text
    assert "{{" not in page.text
    assert page.text.count('aria-current="page"') + page.text.count("aria-current=page") == 1


def test_the_pages_know_whether_there_is_a_camera(client):
    def settings(page):
        return json.loads(unescape(re.search(r'data-settings="([^"]*)"', page.get("/").text)[1]))

    hub = Hub()
    assert settings(client())["camera"] is False
    assert settings(client(hub=hub, source='a"<b>'))["source"] == 'a"<b>'
    assert len(settings(client())["labels"]) == 7
    hub.close()


def test_all_of_it_is_small():
    assert sum(path.stat().st_size for path in OWN) < 150 * 1024


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_comes_from_another_host(path):
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text)


@pytest.mark.parametrize("path", sorted((FOLDER / "pages").iterdir()), ids=lambda path: path.name)
def test_no_script_and_no_style_is_written_into_a_page(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src)", text)


def test_what_the_pages_load_is_there(client):
    page = client()
    for path in PATHS:
        for target in re.findall(r'(?:src|href)="(/[^"]*)"', page.get(path).text):
            assert page.get(target).status_code == 200, target
    for name, asset in load_assets().items():
        for module in re.findall(rb"from '\./([^']+)'", asset.body):
            assert module.decode() in load_assets(), name


def test_an_asset_is_sent_once(client):
    first = client().get("/static/style.css")
    assert first.headers["content-type"].startswith("text/css")
    again = client().get("/static/style.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/no", "/no", "/pages/live.html"]
)
def test_what_is_not_there(client, path):
    answer = client().get(path)
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_a_wrong_method(client):
    assert client().get("/api/photo").status_code == 405


def test_an_internal_error_is_one_line(client, monkeypatch, caplog, portrait):
    import cv2
    from starlette.testclient import TestClient

    from fer_edge.device.web.photo import PhotoDesk

    def fail(self, data):
        raise MemoryError("no\nmemory")

    monkeypatch.setattr(PhotoDesk, "read", fail)
    page = client()
    quiet = TestClient(page.app, base_url=str(page.base_url), raise_server_exceptions=False)
    body = cv2.imencode(".png", portrait)[1].tobytes()
    answer = quiet.post("/api/photo", content=body, headers={"Content-Type": "image/png"})
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("this server failed")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("fer_edge")] == [
        "live page, /api/photo: MemoryError: no memory"
    ]


def test_the_device_and_its_document(client):
    page = client()
    document = page.get("/openapi.json").json()
    facts = page.get("/api/device").json()
    assert facts["models"][0]["name"] == "compact"
    assert facts["machine"]["python"]
    check(document, "Device", facts)
    findings = page.get("/api/doctor").json()
    check(document, "Examination", findings)
    by_name = {finding["name"]: finding for finding in findings["findings"]}
    assert by_name["inference"]["status"] == "ok"
    assert "browser's" in by_name["camera"]["found"]


def test_the_document_names_every_address_and_the_limits(client, portrait):
    import cv2

    from fer_edge.device.web import decoding, upload

    hub = Hub()
    page = client(hub=hub, source="demo")
    document = page.get("/openapi.json").json()
    hub.close()
    routes = {route.path for route in page.app._app.routes if route.path.startswith("/api/")}
    assert routes - {"/api/live", "/api/camera"} == set(document["paths"])
    photo = document["paths"]["/api/photo"]["post"]
    assert f"{upload.LARGEST // 1024**2} MB and {decoding.PIXELS // 10**6} million pixels" in photo["description"]
    assert set(photo["requestBody"]["content"]) == set(upload.TYPES)
    body = cv2.imencode(".png", portrait)[1].tobytes()
    answer = client().post("/api/photo", content=body, headers={"Content-Type": "image/png"})
    check(document, "PhotoResult", answer.json())


def check(document, name, value):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def test_a_model_that_was_not_measured():
    info = ModelInfo("tiny", ("a", "b"))
    assert stated_accuracy(info) == "accuracy not measured"


def test_the_card_of_a_model(model_path):
    model = describe_model(model_path)
    assert model["card"].startswith("# Model card: compact")
    assert "right for" in model["accuracy"]
    assert model["parameters"] > 100_000


@pytest.mark.parametrize(
    "figures",
    [0.6, None, "high", [], {"top1": "high"}, {"top1": None}, {"top1": True}, {"top1": float("nan")}],
    ids=str,
)
def test_an_accuracy_that_is_no_number_is_not_stated(figures):
    assert stated_accuracy(ModelInfo("x", ("a", "b"), accuracy={"PublicTest": figures})) == "accuracy not measured"


def test_the_number_of_images_is_stated_if_it_is_one():
    accuracy = {"PublicTest": {"top1": 0.5, "images": "many"}}
    assert stated_accuracy(ModelInfo("x", ("a", "b"), accuracy=accuracy)) == "right for 50.0 % of PublicTest"


@pytest.mark.parametrize("training", [{}, {"data": {}}])
def test_data_that_are_not_described_have_no_name(model_path, tmp_path, training):
    path = tmp_path / "model.tflite"
    path.write_bytes(model_path.read_bytes())
    write_info(path, dataclasses.replace(read_info(path), training=training))
    assert describe_model(path)["trained_on"] is None


@pytest.mark.parametrize("label", ["{{main}}", "{{settings}}", "{{", "a'\"<b>&", "\\1"])
def test_a_label_is_no_part_of_the_page(label):
    page = render("live", Facts("m{{title}}", "unknown", (label, "b"), False, "cam\udcff{{links}}"))
    page.encode()
    (settings,) = re.findall(r'data-settings="([^"]*)"', page)
    assert json.loads(unescape(settings))["labels"] == [label, "b"]
    assert page.count("<main") == 1


def test_a_card_in_latin_1_is_shown(model_path, tmp_path):
    copy = tmp_path / "m.tflite"
    copy.write_bytes(model_path.read_bytes())
    (tmp_path / "m.md").write_bytes("Modèle".encode("latin-1"))
    assert describe_model(copy)["card"] == "Mod\N{REPLACEMENT CHARACTER}le"
