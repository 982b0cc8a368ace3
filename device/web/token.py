"""A token that is made up once and kept, so that no log has to hold it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from fer_edge.errors import OutputError


def kept_token() -> tuple[str, Path]:
    """Return the token of this user's pages and the file that holds it, which only the user can read.

    The file is in the state folder: of a systemd service that of the unit, elsewhere that of the user.

    Raises:
        OutputError: it cannot be kept.
    """
    file = _state_folder() / "page-token"
    try:
        token = file.read_text(encoding="ascii").strip() if file.exists() else ""
        if not (len(token) == 32 and token.isalnum()):
            token = secrets.token_hex(16)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(f"{token}\n", encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise OutputError(f"{file}: the token cannot be kept there ({reason}); give one in FER_EDGE_TOKEN") from error
    return token, file


def _state_folder() -> Path:
    unit = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if unit:
        return Path(unit)
    user = os.environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(user) if user else Path.home() / ".local/state") / "fer-edge"
    except RuntimeError as error:  # a container's user without a name
        raise OutputError("no home folder to keep a token in; give one in FER_EDGE_TOKEN") from error
