# Sourced by the other scripts. Finds a Python, and keeps `.venv` up to date with the lock files.
#
# Serving and testing share `.venv`. A stamp for each records the Python, folder and lock files it was made from. The
# stamp is written last, so that an interrupted installation is done again.

say() { printf '%s\n' "$*" >&2; }
stop() { say "$0: $*"; exit 1; }

# find_python: sets PYTHON to a Python that is new enough and can make virtual environments.
find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        command -v "$name" >/dev/null 2>&1 || continue
        # The program on PATH may be a launcher, or in a virtual environment: ask for the program behind it.
        found=$("$name" - <<'PY' 2>/dev/null
import sys
if sys.version_info >= (3, 11):
    try:
        import ensurepip, venv
        print("can", getattr(sys, "_base_executable", sys.executable))
    except ImportError:
        print("cannot", sys.executable)
PY
        ) || continue
        case $found in
            "can "*) PYTHON=${found#can }; return 0 ;;
            "cannot "*) without_venv=$name ;;
        esac
    done
    if [ -n "${without_venv:-}" ]; then
        stop "$without_venv cannot make virtual environments here. On Debian and Ubuntu: apt install python3-venv"
    fi
    stop "Python 3.11 or newer is needed, and none was found on PATH. See https://www.python.org/downloads/"
}

# stamp_of PYTHON LOCK...: prints the stamp for this Python, this folder, these lock files and this project.
stamp_of() {
    stamping=$1
    shift
    "$stamping" -I - pyproject.toml "$@" <<'PY'
import hashlib, os, sys
digest = hashlib.sha256()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        digest.update(file.read())
print(sys.version.split()[0], os.path.realpath("."), digest.hexdigest())
PY
}

# install NAME LOCK...: makes sure that .venv contains the packages of the lock files, and the project itself.
install() {
    stamp=.venv/.$1
    shift
    if [ -f "$stamp" ] && [ -x .venv/bin/python ] &&
        [ "$(stamp_of .venv/bin/python "$@" 2>/dev/null)" = "$(cat "$stamp")" ]; then
        return 0
    fi
    find_python
    wanted=$(stamp_of "$PYTHON" "$@") || stop "the lock files cannot be read"
    say "Installing what is needed into .venv (once; it may take a minute) …"
    # A different Python, a different folder, or an interrupted installation: start again from nothing.
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
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes "$@" ||
        stop "the requirements could not be installed (see above)"
    # pip would compile on one processor. What cannot be compiled is for other versions of Python, or a template.
    .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || :
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
        stop "the project could not be installed (see above)"
    printf '%s\n' "$wanted" >"$stamp"
}
