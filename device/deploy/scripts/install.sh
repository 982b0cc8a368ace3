# Install the wheel and what it needs, with the pins that fit the system's release.

already() { [ -e "$venv/fer-edge.installed" ] && "$venv/bin/fer-edge" --version >/dev/null 2>&1; }

act() {
    release_id=''
    if [ -r /etc/os-release ]; then release_id=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}"); fi
    here=$(printf '%s\n' "$pins" | sed -n "s/^$(uname -m) $release_id //p")
    # Not /tmp: on Raspberry Pi OS 13 that is memory.
    TMPDIR="$release/tmp"
    export TMPDIR
    mkdir -p "$TMPDIR"
    from=''
    if [ "$offline" = yes ]; then from="--no-index --find-links $release/payload"; fi
    # shellcheck disable=SC2086  # several words each, without spaces or patterns in them
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check $from \
        "$release/payload/${wheel}[$extras]" $here
    rm -rf "$TMPDIR"
    "$venv/bin/fer-edge" --version >/dev/null
    touch "$venv/fer-edge.installed"
}
