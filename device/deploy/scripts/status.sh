# Say how the machine is: one line of KEY=VALUE each, of what is known.

say() { printf 'fer-edge:%s=%s\n' "$1" "$2"; }

current=$(readlink -e "$root/current" 2>/dev/null || true)
if [ -n "$current" ]; then
    say release "${current##*/}"
    say version "$("$current/venv/bin/fer-edge" --version 2>/dev/null | awk '{ print $NF }')"
    model=$current/payload/model.tflite
    if [ -e "$model" ]; then
        say model "$(sha256sum "$model" | cut -c 1-64)"
    fi
fi
say service "$(systemctl is-active "$unit" 2>/dev/null || true)"
say says "$(systemctl show --property=StatusText --value "$unit" 2>/dev/null || true)"
say restarts "$(systemctl show --property=NRestarts --value "$unit" 2>/dev/null || true)"
say temperature "$(cat /sys/class/thermal/thermal_zone0/temp 2>/dev/null || true)"
# The firmware's answer is throttled=0x50005, Raspberry Pi documentation: vcgencmd get_throttled.
say throttled "$(vcgencmd get_throttled 2>/dev/null | sed 's/^throttled=//' || true)"
say load "$(cut -d ' ' -f 1 /proc/loadavg)"
