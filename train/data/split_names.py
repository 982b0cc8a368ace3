"""What data sets call their splits, and which of FER2013's three is meant."""

from __future__ import annotations

from collections.abc import Iterable

from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING

_TRAINING = frozenset({"train", "training"})
_VALIDATION = frozenset({"val", "valid", "validation"})
_TEST = frozenset({"test", "testing"})
_OFFICIAL = {name.lower(): name for name in SPLITS}


def official_splits(names: Iterable[str]) -> dict[str, str]:
    """Return which of FER2013's splits each of `names` means, whatever its case; names of no split are left out.

    A validation set is PublicTest. A test set is PublicTest where it stands alone, and PrivateTest beside a validation
    set or a PublicTest, because the one that is looked at during training comes first.
    """
    all_names = list(names)
    lower = {name.strip().lower() for name in all_names}
    test = PRIVATE_TEST if lower & (_VALIDATION | {PUBLIC_TEST.lower()}) else PUBLIC_TEST
    meant = {
        **dict.fromkeys(_TRAINING, TRAINING),
        **dict.fromkeys(_VALIDATION, PUBLIC_TEST),
        **dict.fromkeys(_TEST, test),
        **_OFFICIAL,
    }
    return {name: meant[name.strip().lower()] for name in all_names if name.strip().lower() in meant}


def split_of(name: str, present: Iterable[str]) -> str:
    """Return the split that a user's `name` means in a data set that has the splits `present`, or `name` itself."""
    if name.strip().lower() in _TEST and PRIVATE_TEST in present:
        return PRIVATE_TEST
    return official_splits([name]).get(name, name)
