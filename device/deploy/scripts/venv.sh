# Make a virtual environment that sees the system's packages: picamera2 and the numpy it was built with are apt's.

already() {
    version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # After an upgrade of the system the environment is of another Python.
    [ -e "$venv/fer-edge.made" ] && [ -x "$venv/bin/python" ] && [ -d "$venv/lib/python$version" ]
}

act() {
    rm -rf "$venv"
    python3 -m venv --system-site-packages "$venv"
    touch "$venv/fer-edge.made"
}
