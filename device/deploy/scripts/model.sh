# Give the release that runs another model; the one before comes back if the service does not stay up with it.

current=$(readlink -e "$root/current" 2>/dev/null || true)

fits() { (cd "$1" && printf '%s' "$sums" | sha256sum --check --status 2>/dev/null); }

already() {
    [ -n "$current" ] && fits "$current/payload" || return 1
    managed || return 0
    systemctl is-active --quiet "$unit"
}

switch() {
    # Renamed within one disk: there is no moment without a model.
    cp -p "$current/payload/$model" "$root/.model.before"
    touch "$current/other-model"
    mv "$root/incoming/$model" "$current/payload/$model"
    rmdir "$root/incoming"
    sync --file-system "$current/payload"
    managed || return 0
    if start; then return 0; fi
    why="the service does not stay up with this model ($(last_words))"
    mv "$root/.model.before" "$current/payload/$model"
    start || fail "$why, and neither with the one before it ($(last_words))"
    fail "$why; the one before is back and runs"
}

act() {
    [ -n "$current" ] || fail "expected fer-edge, found none; deploy without --only-model first"
    [ -e "$current/payload/$model" ] ||
        fail "its service runs the model of the package; deploy once with --model and without --only-model"
    if fits "$current/payload"; then
        start || fail "the service does not stay up ($(last_words))"
        return 0
    fi
    words=$(timeout 300 "$current/venv/bin/fer-edge" run --source demo --frames 10 --json \
        --model "$root/incoming/$model" 2>&1 >/dev/null) ||
        fail "it did not get through ten frames with the model: $(last_line "$words")"
    # From here on nothing depends on the connection.
    trap '' HUP PIPE
    set +e
    (
        set -e
        switch
    ) >"$current/activation.log" 2>&1
    status=$?
    cat "$current/activation.log" >&2
    [ $status = 0 ] || exit $status
    set -e
}
