case $1 in
check)
    if already; then exit 0; else exit 1; fi
    ;;
act)
    # Work whose connection was cut goes on until it ends, and holds this lock that long: its children inherit it.
    mkdir -p "$root"
    exec 9>"$root/.step.lock"
    flock -w 900 9 || fail "a step of an earlier deployment is still at work; see what holds $root/.step.lock"
    if already; then
        echo fer-edge:already
    else
        act
        # The files that sync makes room for come over another channel; it is checked when they are there.
        [ "$sends" = yes ] || already || fail "it ended well, but a look at it says otherwise; deploy again"
    fi
    ;;
esac
