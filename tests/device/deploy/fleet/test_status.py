import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.deploy.fleet.inventory import Member
from fer_edge.device.deploy.fleet.status import parse_status, to_json, to_table

DIGEST = "ab" * 32
MEMBER = Member("pi@door", "shop", None, (), "~/fer-edge")
ANSWER = f"""Welcome!
fer-edge:release=0123456789abcdef
fer-edge:version=0.2.0
fer-edge:model={DIGEST}
fer-edge:service=active
fer-edge:says=12.4 frames per second
fer-edge:restarts=3
fer-edge:temperature=51234
fer-edge:throttled=0x50000
fer-edge:load=0.42
"""


def status_of(answer):
    return parse_status(answer, MEMBER, {DIGEST: "nano"})


def test_what_a_machine_says():
    status = status_of(ANSWER)
    assert (status.ok, status.version, status.model, status.fps) == (True, "0.2.0", "nano", 12.4)
    assert (status.temperature_c, status.throttled, status.restarts) == (51.234, "no", 3)
    table = to_table([status])
    assert table.splitlines()[1].split() == [
        "pi@door",
        "shop",
        "active",
        "0.2.0",
        "nano",
        "12.4",
        "51",
        "°C",
        "no",
        "3",
    ]


@pytest.mark.parametrize(
    ("bits", "meaning"), [("0x0", "no"), ("0x50005", "under-voltage"), ("0x4", "throttled"), ("", None), ("soon", None)]
)
def test_throttling(bits, meaning):
    assert status_of(ANSWER.replace("0x50000", bits)).throttled == meaning


def test_a_model_that_is_not_shipped_is_named_by_its_digest():
    assert parse_status(ANSWER, MEMBER, {}).model == DIGEST[:12]


def test_without_an_installation():
    status = status_of("fer-edge:service=inactive\n")
    assert (status.ok, status.version, status.service) == (False, None, "inactive")
    assert to_json([status])["ok"] is False


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.sampled_from(["version", "says", "load", "model"])
)
def test_a_target_may_say_anything(text, key):
    status = status_of(f"fer-edge:service=active\nfer-edge:{key}={text}")
    assert all(line.isprintable() for line in to_table([status]).splitlines())
