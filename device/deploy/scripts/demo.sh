# Run the new version on ten frames of its built-in film, with the model it will use.

already() { [ -e "$venv/fer-edge.demo.json" ]; }

act() {
    answer="$venv/fer-edge.demo.new"
    set -- run --source demo --frames 10 --json
    if [ -n "$model" ]; then set -- "$@" --model "$release/payload/$model"; fi
    words=$(timeout 300 "$venv/bin/fer-edge" "$@" 2>&1 >"$answer") ||
        fail "the new version did not get through ten frames: $(last_line "$words")"
    frames=$("$venv/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["frames"])' "$answer")
    [ "$frames" = 10 ] || fail "expected ten frames of the built-in film, found $frames"
    mv "$answer" "$venv/fer-edge.demo.json"
}
