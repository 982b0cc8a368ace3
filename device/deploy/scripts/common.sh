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
