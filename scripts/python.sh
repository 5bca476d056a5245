# Sourced by the other scripts. Finds a Python and keeps `.venv` in step with the locks.
#
# `.venv` is shared by serving and testing. A stamp for each says which Python and which locks it was made from; it is
# written last, so what was interrupted is done again.

say() { printf '%s\n' "$*" >&2; }
stop() { say "$0: $*"; exit 1; }

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            # The program itself: what is on PATH may be a launcher that needs its own environment.
            PYTHON=$("$name" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
            if "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1; then
                return 0
            fi
            WITHOUT_VENV=$name
        fi
    done
    if [ -n "${WITHOUT_VENV:-}" ]; then
        stop "$WITHOUT_VENV cannot make virtual environments here. On Debian and Ubuntu: apt install python3-venv"
    fi
    stop "Python 3.11 or newer is needed, and none was found on PATH. See https://www.python.org/downloads/"
}

# wanted_stamp LOCK...: what a stamp made from these locks and this project says.
wanted_stamp() {
    "$PYTHON" - "$@" <<'PY'
import hashlib, os, sys
digest = hashlib.sha256()
for path in [*sys.argv[1:], "pyproject.toml"]:
    with open(path, "rb") as file:
        digest.update(file.read())
print(sys.version.split()[0], os.path.realpath("."), digest.hexdigest())
PY
}

# install NAME LOCK...: make sure that .venv holds what the locks say, and the project itself.
install() {
    name=$1
    shift
    find_python
    wanted=$(wanted_stamp "$@") || stop "the lock files cannot be read"
    stamp=.venv/.$name
    if [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return 0
    fi
    say "Installing what is needed into .venv (once; it may take a minute) …"
    # Another Python, another place, or a making that was interrupted: begin anew.
    if ! [ -f .venv/.made ] || [ "$(cat .venv/.made)" != "${wanted% *}" ] || ! [ -x .venv/bin/python ]; then
        rm -rf .venv
        "$PYTHON" -m venv .venv || stop "the virtual environment .venv could not be made"
        printf '%s\n' "${wanted% *}" >.venv/.made
    fi
    rm -f "$stamp"
    for lock in "$@"; do
        set -- "$@" -r "$lock"
        shift
    done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" ||
        stop "the requirements could not be installed (see above)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
        stop "the project could not be installed (see above)"
    printf '%s\n' "$wanted" >"$stamp"
}
