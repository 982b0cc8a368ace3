"""How common a model takes expressions to be, and what makes that other shares."""

import json

import numpy as np
import pytest

from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.labels import EXPRESSIONS, FER2013_COUNTS, assumed_prior, prior_weights
from fer_edge.model_file import ModelInfo

SHARES = dict(zip(EXPRESSIONS, (0.1, 0.05, 0.1, 0.3, 0.15, 0.1, 0.2), strict=True))
STATED = ModelInfo("x", EXPRESSIONS, conversion={"prior": SHARES})


def of_fer2013(weighting=None, adjustment=None):
    training = {"data": {"name": "fer2013.csv"}, "recipe": {"class_weighting": weighting}}
    return ModelInfo("x", EXPRESSIONS, training=training, conversion={"logit_adjustment": adjustment})


def test_a_file_says_what_it_assumes():
    assert assumed_prior(STATED) == pytest.approx(SHARES)


@pytest.mark.parametrize(("weighting", "adjustment", "power"), [(None, None, 1), (0.2, None, 0.8), (0.2, 0.3, 0.5)])
def test_a_file_of_fer2013_that_does_not_say_assumes_what_is_left_of_its_shares(weighting, adjustment, power):
    expected = np.array([FER2013_COUNTS[label] for label in EXPRESSIONS], float) ** power
    found = assumed_prior(of_fer2013(weighting, adjustment))
    assert list(found) == list(EXPRESSIONS)
    assert list(found.values()) == pytest.approx(expected / expected.sum())


@pytest.mark.parametrize(
    "info",
    [ModelInfo("x", EXPRESSIONS), ModelInfo("x", ("a", "b"), training={"data": {"name": "fer2013.csv"}})],
    ids=str,
)
def test_of_another_file_it_is_not_known(info):
    assert assumed_prior(info) is None
    with pytest.raises(ModelFileError, match="expected a file that says which prior it assumes"):
        prior_weights(info, "uniform")


@pytest.mark.parametrize(
    "info",
    [
        of_fer2013("much"),
        of_fer2013([0.2]),
        of_fer2013(1e9),
        of_fer2013(0.2, {}),
        ModelInfo("x", EXPRESSIONS, training={"data": {"name": "fer2013.csv"}}, conversion={"prior": {}}),
    ],
    ids=range(5),
)
def test_what_a_file_says_in_no_way_that_is_known_is_not_known(info):
    assert assumed_prior(info) is None


@pytest.mark.parametrize("twice", ["happy=1,happiness=2", "happy=1,happy=2"])
def test_a_class_is_named_once(twice):
    rest = ",".join(f"{label}=1" for label in EXPRESSIONS if label != "happy")
    with pytest.raises(ConfigError, match="expected (one name for each class|each class once)"):
        prior_weights(STATED, f"{rest},{twice}")


def test_probabilities_become_those_of_another_world():
    likelihood = np.array([0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    shares = np.array(list(SHARES.values()))
    scores = likelihood * shares
    weighted = scores / scores.sum() * prior_weights(STATED, "uniform")
    assert weighted / weighted.sum() == pytest.approx(likelihood / likelihood.sum())


def test_the_model_s_own_prior_changes_nothing():
    assert prior_weights(of_fer2013(), "fer2013") == pytest.approx([1] * 7)


@pytest.mark.parametrize("as_file", [False, True])
def test_shares_are_given_in_the_command_or_in_a_file(as_file, tmp_path):
    wanted = dict.fromkeys(EXPRESSIONS, 1) | {"neutral": 4}
    text = ",".join(f"{label}={share}" for label, share in wanted.items()).replace("happy", "happiness")
    if as_file:
        path = tmp_path / "prior.json"
        path.write_text(json.dumps(wanted))
        text = str(path)
    weights = np.array(prior_weights(STATED, text)) * list(SHARES.values())
    assert weights == pytest.approx([0.1] * 6 + [0.4])


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("even", "expected uniform, fer2013, LABEL=SHARE"),
        ("happy=1", "expected a share for each of angry"),
        (",".join(f"{label}=1" for label in (*EXPRESSIONS, "contempt")), "and for no other class"),
        (",".join(f"{label}={0 if label == 'sad' else 1}" for label in EXPRESSIONS), "expected shares above 0"),
        (",".join(f"{label}=much" for label in EXPRESSIONS), "expected shares above 0"),
    ],
)
def test_other_priors_are_refused(prior, message):
    with pytest.raises(ConfigError, match=message) as refused:
        prior_weights(STATED, prior)
    assert refused.value.option == "prior"


@pytest.mark.parametrize("content", ["[]", "{", '"x"', '{"happy": null}', "\x00"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "prior.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="prior"):
        prior_weights(STATED, str(path))
