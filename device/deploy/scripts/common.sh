# Every step's script is this file, then the step's own, which defines already and act, then dispatch.sh.

fail() {
    printf 'fer-edge: %s\n' "$*" >&2
    exit 3
}

last_line() { printf '%s\n' "$1" | tail -n 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

unit=fer-edge.service

managed() {
    [ "$service" = yes ] || systemctl is-enabled --quiet "$unit" 2>/dev/null
}

start() {
    # Of type notify: this returns when the first picture has gone through the loop, or when it failed.
    as_root systemctl restart "$unit" || return 1
    pid=$(systemctl show --property=MainPID --value "$unit")
    sleep 5
    systemctl is-active --quiet "$unit" && [ "$(systemctl show --property=MainPID --value "$unit")" = "$pid" ]
}

last_words() {
    # Of this start alone: the version before has written to the same journal until now.
    started=$(systemctl show --property=InvocationID --value "$unit")
    line=$(as_root journalctl "_SYSTEMD_INVOCATION_ID=$started" --identifier fer-edge --output cat --lines 1 \
        --quiet --no-pager 2>/dev/null) || true
    printf '%s' "${line:-see journalctl --unit $unit}"
}
