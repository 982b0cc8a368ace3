# Refuse a machine that cannot work, before anything is sent; say what is there.

folder=$root
while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done

machine=$(uname -m)
case $machine in
aarch64 | x86_64) ;;
*) fail "expected a 64-bit system (aarch64 or x86_64), found $machine; install the 64-bit Raspberry Pi OS" ;;
esac
command -v python3 >/dev/null ||
    fail "expected Python 3.11 or newer, found none; there: sudo apt install python3 python3-venv"
python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "expected Python 3.11 or newer, found $python; install Raspberry Pi OS 12 or 13"
# The 32-bit Raspberry Pi OS runs a 64-bit kernel by default, so uname does not tell.
python3 -c 'import sys; sys.exit(sys.maxsize < 2**32)' ||
    fail "expected a 64-bit system, found a 32-bit Python on a 64-bit kernel; install the 64-bit Raspberry Pi OS"
python3 -c 'import venv, ensurepip' 2>/dev/null ||
    fail "Python's venv module is missing; there: sudo apt install python3-venv"
for tool in flock sha256sum timeout; do
    command -v $tool >/dev/null || fail "'$tool' is missing; there: sudo apt install util-linux coreutils"
done
[ -w "$folder" ] || fail "$folder cannot be written by $(id -un); name another folder with --path"
case $root in
*[!A-Za-z0-9._/-]*) fail "$root contains characters that a service cannot name; name another folder with --path" ;;
esac
if managed; then
    case $(systemctl is-system-running 2>/dev/null) in
    running | degraded | starting | initializing | maintenance) ;;
    *) fail "--service needs systemd, which does not run there; leave --service out" ;;
    esac
    as_root true 2>/dev/null ||
        fail "the service needs sudo without a password for $(id -un); allow it there with: sudo visudo"
fi

if [ "$1" = act ]; then
    board=$(tr -d '\0' </proc/device-tree/model 2>/dev/null || true)
    release_id='' system=unknown
    if [ -r /etc/os-release ]; then
        release_id=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")
        system=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-unknown}")
    fi
    printf 'fer-edge:%s\n' "root=$root" "machine=$machine" "python=$python" "release=$release_id" \
        "system=$system" "board=$board" "rsync=$(command -v rsync || true)"
fi
