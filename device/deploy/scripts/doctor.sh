# Ask the new version whether this machine is ready for it.

already() { [ -e "$venv/fer-edge.doctor.json" ]; }

act() {
    answer="$venv/fer-edge.doctor.new"
    set -- doctor --json
    if [ -n "$model" ]; then set -- "$@" --model "$release/payload/$model"; fi
    if systemctl is-active --quiet "$unit" 2>/dev/null; then
        # The camera is the running version's; whether the new one gets its pictures shows when the service starts.
        set -- "$@" --source demo
    elif [ -n "$source" ]; then
        # Not as an option: it may hold a password, and every user can read a command line.
        FER_EDGE_SOURCE=$source
        export FER_EDGE_SOURCE
    fi
    status=0
    timeout 300 "$venv/bin/fer-edge" "$@" >"$answer" || status=$?
    [ $status != 124 ] || fail "fer-edge doctor did not end within 300 s"
    problems=$("$venv/bin/python" - "$answer" <<'END'
import json
import sys

with open(sys.argv[1]) as file:
    answer = json.load(file)
problems = [finding for finding in answer.get("findings", ()) if finding["status"] == "problem"]
print("; ".join(f"{finding['name']}: {finding['found']} -> {finding['advice']}" for finding in problems))
sys.exit(answer["ok"] is not True)
END
    ) || fail "fer-edge doctor finds the machine not ready: ${problems:-run it there: $venv/bin/fer-edge doctor}"
    [ $status = 0 ] || fail "fer-edge doctor failed (exit status $status)"
    mv "$answer" "$venv/fer-edge.doctor.json"
}
