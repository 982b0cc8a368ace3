# Switch to the new release, restart the service if there is one, and go back if it does not stay up.

render_unit() { printf '%s' "$unit_text" | sed "s|@ROOT@|$root|g"; }

installed_unit() { systemctl show --property=FragmentPath --value "$unit"; }

secrets_file=/etc/fer-edge.env

unit_fits() {
    [ "$service" = no ] || { render_unit | cmp -s - "$(installed_unit)" && secrets_fit; }
}

secrets_fit() {
    if [ -n "$secrets" ]; then
        printf '%s' "$secrets" | as_root cmp -s - "$secrets_file"
    else
        as_root test ! -e "$secrets_file"
    fi
}

install_secrets() {
    as_root rm -f "$secrets_file.before"
    if as_root test -e "$secrets_file"; then as_root mv "$secrets_file" "$secrets_file.before"; fi
    if [ -n "$secrets" ]; then printf '%s' "$secrets" | as_root install -m 600 /dev/stdin "$secrets_file"; fi
}

restore_secrets() {
    as_root rm -f "$secrets_file"
    if as_root test -e "$secrets_file.before"; then as_root mv "$secrets_file.before" "$secrets_file"; fi
}

already() {
    [ "$(readlink "$root/current")" = "releases/$id" ] || return 1
    [ "$(cat "$root/last-good" 2>/dev/null)" = "$id" ] || return 1
    # The service may still have the model that came alone, whose file sync replaced.
    [ ! -e "$release/other-model" ] || return 1
    managed || return 0
    unit_fits && systemctl is-enabled --quiet "$unit" && systemctl is-active --quiet "$unit"
}

point() {
    # A rename replaces the link in one go: there is no moment without it.
    ln -sfn "$2" "$root/.$1.new"
    mv -T "$root/.$1.new" "$root/$1"
}

install_unit() {
    rm -f "$root/.unit.before"
    before=$(installed_unit)
    if [ -n "$before" ]; then cp "$before" "$root/.unit.before"; fi
    render_unit >"$root/.unit.new"
    as_root install -m 644 "$root/.unit.new" "/etc/systemd/system/$unit"
    rm "$root/.unit.new"
    install_secrets
    as_root systemctl daemon-reload
    as_root systemctl enable --quiet "$unit"
}

roll_back() {
    why="the service does not stay up ($(last_words))"
    if [ $unit_is_new = no ] && [ "$good" = "$id" ]; then fail "$why"; fi
    if [ $unit_is_new = yes ] && [ ! -e "$root/.unit.before" ]; then
        as_root systemctl disable --quiet --now "$unit" || true
        as_root rm -f "/etc/systemd/system/$unit"
        restore_secrets
        as_root systemctl daemon-reload
        if [ -n "$good" ]; then point current "releases/$good"; else rm -f "$root/current"; fi
        fail "$why; there was no service before, so it is off again"
    fi
    if [ $unit_is_new = yes ]; then
        as_root install -m 644 "$root/.unit.before" "/etc/systemd/system/$unit"
        restore_secrets
        as_root systemctl daemon-reload
    fi
    if [ -z "$good" ]; then
        as_root systemctl stop "$unit" || true
        rm -f "$root/current"
        fail "$why; there is no earlier version to go back to"
    fi
    point current "releases/$good"
    start || fail "$why, and neither does $good before it ($(last_words))"
    fail "$why; rolled back to $good, which runs"
}

switch() {
    # A power cut must not leave a link to a release that is not on the disk yet.
    sync --file-system "$release"
    point current "releases/$id"
    if managed; then
        unit_is_new=no
        unit_fits || unit_is_new=yes
        if [ $unit_is_new = yes ]; then install_unit; fi
        if start; then :; else roll_back; fi
    fi
    rm -f "$release/other-model"
    if [ -n "$good" ] && [ "$good" != "$id" ]; then point previous "releases/$good"; fi
    printf '%s\n' "$id" >"$root/.last-good.new"
    mv -T "$root/.last-good.new" "$root/last-good"
}

act() {
    if [ "$service" = yes ]; then
        eval "set -- $options"
        words=$("$venv/bin/fer-edge" run "$@" --help 2>&1 >/dev/null) ||
            fail "'fer-edge run' refuses the --run-options: $(last_line "$words")"
    fi
    good=$(cat "$root/last-good" 2>/dev/null || true)
    if [ ! -d "$root/releases/$good" ]; then good=''; fi
    # From here on nothing depends on the connection: with it or without it this ends with a version that stays up.
    trap '' HUP PIPE
    set +e
    (
        set -e
        switch
    ) >"$release/activation.log" 2>&1
    status=$?
    cat "$release/activation.log" >&2
    [ $status = 0 ] || exit $status
    set -e
}
