# Remove releases that nothing points to: not the running one, not the one before it, not the one being made.

leftovers() {
    for folder in "$root"/releases/*; do
        name=${folder##*/}
        [ -d "$folder" ] || continue
        case "releases/$name" in
        "releases/$id" | "$(readlink "$root/current")" | "$(readlink "$root/previous")") ;;
        "releases/$(cat "$root/last-good" 2>/dev/null)") ;;
        *) printf '%s\n' "$folder" ;;
        esac
    done
}

already() { [ -z "$(leftovers)" ]; }

act() {
    leftovers | while read -r folder; do rm -rf "$folder"; done
}
