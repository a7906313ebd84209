# What scripts/check-* share; each sources it. Leaves the checkout's path in $root.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The checks find what they share there, and leave no cache beside the sources.
export PYTHONPATH=$root/scripts PYTHONDONTWRITEBYTECODE=1

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# mistaken WORDS: what is wrong with the arguments.
mistaken() { echo "$(basename "$0"): $*" >&2; exit 2; }

# read_arguments ARGUMENT...: --fresh and --help, which all have. Leaves in $fresh whether the
# former was given.
read_arguments() {
    local argument
    fresh=false
    for argument in "$@"; do
        case $argument in
            --fresh) fresh=true ;;
            -h | --help) usage; exit 0 ;;
            *) mistaken "unknown argument '$argument' (--fresh and --help exist)" ;;
        esac
    done
}

# Leaves the program that is checked in $binary.
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

# installed STAMP PACKAGE...: whether an earlier run has installed these very packages. A stamp is
# written last, so an installation that broke off is made anew.
installed() { [[ $(cat "$1" 2>/dev/null) == "${*:2}" ]]; }

# install_python WHAT VENV PACKAGE...: an environment with these packages, and that in words.
install_python() {
    local what=$1 venv=$2
    shift 2
    # The import fails where the Python that made the environment is gone.
    if installed "$venv/stamp" "$@" && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        return
    fi
    command -v python3 >/dev/null || die "python3 is missing (Debian: python3 and python3-venv)"
    # To an older Python pip would give older packages, without a word.
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "$(python3 --version) is too old for $what, which want 3.10 or newer"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        die "python3 has no venv (Debian: the package python3-venv)"
    echo "installing $what ..."
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$venv/stamp"
}

# run_checks COMMAND...: no check may hang the run. Ends with the status of the checks.
run_checks() {
    local status=0
    timeout --foreground 300 "$@" || status=$?
    [[ $status -le 1 ]] || die "the checks did not run to their end (exit status $status)"
    exit "$status"
}
