# Make room for the files; they are sent after this, and `check` compares them with their sums.

already() {
    [ -d "$release/payload" ] && (cd "$release/payload" && printf '%s' "$sums" | sha256sum --check --status 2>/dev/null)
}

act() {
    free=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$needed_mb" ] ||
        fail "expected $needed_mb MB free on the disk of $root, found $free MB; remove something (sudo apt clean helps)"
    mkdir -p "$release/payload"
}
