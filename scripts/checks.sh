# Shared code of scripts/check-*, which source this file. Sets $root to the path of the checkout.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Makes the shared modules importable, without leaving a cache beside the sources.
export PYTHONPATH=$root/scripts PYTHONDONTWRITEBYTECODE=1

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# mistaken WORDS: reports wrong usage and exits.
mistaken() { echo "$(basename "$0"): $*" >&2; exit 2; }

# read_arguments ARGUMENT...: parses --fresh and --help, and sets $fresh.
read_arguments() {
    local argument
    fresh=false
    for argument in "$@"; do
        case $argument in
            --fresh) fresh=true ;;
            -h | --help) usage; exit 0 ;;
            *) mistaken "unknown argument '$argument' (--help lists the options)" ;;
        esac
    done
}

# Sets $binary to the program to check.
find_binary() {
    if [[ -n ${MOCKER_BIN:-} ]]; then
        binary=$(realpath -e -- "$MOCKER_BIN" 2>/dev/null) ||
            die "MOCKER_BIN=$MOCKER_BIN does not exist"
    else
        (cd "$root" && cargo build --release --locked)
        binary=$(cd "$root" && realpath -- "${CARGO_TARGET_DIR:-target}/release/mocker")
    fi
    [[ -f $binary && -x $binary ]] || die "$binary is not a program"
}

# installed STAMP PACKAGE...: succeeds if an earlier run has installed exactly these packages. The
# stamp is written last, so an interrupted installation is repeated.
installed() { [[ $(cat "$1" 2>/dev/null) == "${*:2}" ]]; }

# install_python WHAT VENV PACKAGE...: creates an environment with these packages, and reports it.
install_python() {
    local what=$1 venv=$2
    shift 2
    # The import fails if the Python that created the environment was removed.
    if installed "$venv/stamp" "$@" && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        return
    fi
    command -v python3 >/dev/null || die "python3 is missing (Debian: python3 and python3-venv)"
    # For an older Python, pip would silently install older packages.
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "$(python3 --version) is too old for $what, which need 3.10 or newer"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        die "python3 has no venv (Debian: the package python3-venv)"
    echo "installing $what ..."
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$venv/stamp"
}

# run_checks COMMAND...: runs the checks with a time limit, and exits with their status.
run_checks() {
    local status=0
    timeout --foreground 300 "$@" || status=$?
    [[ $status -le 1 ]] || die "the checks did not finish (exit status $status)"
    exit "$status"
}
