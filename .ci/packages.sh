# Sourced by the scripts beside it: fetches packages into a folder and leaves the machine as it is.
# Nothing is installed, no script of a package runs, no service starts, and no root is needed.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# as_root COMMAND...: for the few steps that do need it.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this step needs root, and there is no sudo. Run as root: $*"
    fi
}

have_apt() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# one_at_a_time FOLDER: the caller holds the folder until it exits, so that two runs do not unpack over each other.
one_at_a_time() {
    mkdir -p "$1"
    if command -v flock >/dev/null; then
        exec 9>"$1/.lock"
        flock 9
    fi
}

# fetch_debs FOLDER PACKAGE[=VERSION]...: unpacks these packages, and what they need and this machine lacks, there.
# A version may end in `*`. Uses the archives that the machine's own apt is configured for, with an index of its own.
# With FOREIGN set to other architectures, packages of these (PACKAGE:ARCHITECTURE) are had as well, and only those named.
# With SUITE set to another release of the distribution, the packages are of that one, and again only those named.
fetch_debs() (
    folder=$1
    shift
    state=$(mktemp -d)
    trap 'rm -rf "$state"' EXIT
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/debs" "$folder"
    options=(-qq -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache"
        -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o APT::Get::AllowUnauthenticated=false)
    for architecture in $(dpkg --print-architecture) ${FOREIGN:-}; do
        options+=(-o "APT::Architectures::=$architecture")
    done
    if [ -n "${SUITE:-}" ]; then
        release "$SUITE" >"$state/sources.list" || exit 1
        options+=(-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-)
    fi
    # Of other architectures some archives have nothing: what is named must be offered, that is enough.
    apt-get "${options[@]}" update >&2 || [ -n "${FOREIGN:-}" ] || exit 1
    named=()
    for package in "$@"; do
        found=$(offered "$package")
        [ -n "$found" ] || { say "error: the package archive does not offer $package"; exit 1; }
        named+=("$found")
    done
    # A simulated installation tells which of the packages needed are not on this machine.
    needed=
    if [ -z "${FOREIGN:-}${SUITE:-}" ]; then
        needed=$(apt-get "${options[@]}" --simulate --no-install-recommends --allow-downgrades install "${named[@]}" \
            2>/dev/null | awk '/^Inst/ { v = ($3 ~ /^\[/) ? $4 : $3; sub(/^\(/, "", v); print $2 "=" v }')
    fi
    mapfile -t wanted < <(printf '%s\n' "${named[@]}" "$needed" | grep . | sort -u)
    say "  unpacking: ${wanted[*]}"
    cd "$state/debs" && apt-get "${options[@]}" download "${wanted[@]}" >&2 || exit 1
    for deb in "$state"/debs/*.deb; do dpkg -x "$deb" "$folder" || exit 1; done
)

# release SUITE: the line for apt that has this release in the archive of this machine's own.
release() {
    local id codename archive keyring
    id=$(. /etc/os-release && printf '%s' "$ID")
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    archive=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
        awk -v codename="$codename" '$1 == codename && $3 == "main" { print $2; exit }')
    keyring=/usr/share/keyrings/$id-archive-keyring.gpg
    [ -n "$archive" ] || { say "error: apt is configured for no archive of $id $codename"; return 1; }
    [ -e "$keyring" ] || { say "error: there is no $keyring"; return 1; }
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$1"
}

# offered PACKAGE[=VERSION]: PACKAGE=VERSION in full, of the newest version that fits; nothing where none does.
offered() {
    local name=${1%%=*} pattern=
    case $1 in *=*) pattern=${1#*=} ;; esac
    apt-cache "${options[@]}" madison "$name" | awk -F ' *[|] *' -v name="$name" -v pattern="$pattern" '
        BEGIN { gsub(/[.+]/, "\\\\&", pattern); gsub(/[*]/, ".*", pattern) }
        pattern == "" || $2 ~ "^([0-9]+:)?" pattern "$" { print name "=" $2; exit }'
}

# run_pip ARGUMENT...: the machine's pip, or, where there is none, one that is unpacked for this call alone.
run_pip() {
    command -v python3 >/dev/null || die "python3 is missing. Install it: apt-get install python3"
    if python3 -m pip --version >/dev/null 2>&1; then python3 -m pip "$@"; return; fi
    local folder wheel status=0
    folder=$(mktemp -d)
    fetch_debs "$folder" python3-pip-whl || { rm -rf "$folder"; return 1; }
    wheel=$(find "$folder" -name 'pip-*.whl' | head -n 1)
    python3 "$wheel/pip" "$@" || status=$?
    rm -rf "$folder"
    return "$status"
}

# unpacked NAME SIZE PACKAGE[=VERSION]...: the distribution's packages, in .toolchains/NAME, beside what the machine has.
unpacked() {
    local name=$1 size=$2 folder=$root/.toolchains/$1
    shift 2
    [ -e "$folder/complete" ] && return
    have_apt || { say "error: this needs apt (Debian or Ubuntu)"; return 1; }
    one_at_a_time "$root/.toolchains"
    [ -e "$folder/complete" ] && return
    say "$name goes into .toolchains/$name ($size unpacked; nothing is installed on the machine)"
    rm -rf "$folder" "$folder.new"
    fetch_debs "$folder.new" "$@" || { rm -rf "$folder.new"; return 1; }
    rm -rf "$folder.new/usr/share"
    touch "$folder.new/complete"
    mv "$folder.new" "$folder"
}

# The Rust that comes with the sources of its library, for -Zbuild-std. Afterwards `with_rust rust-src cargo ...` runs
# it. Library and compiler must be of one version, so both are the distribution's.
rust_with_sources() {
    unpacked rust-src "900 MB" rustc-web cargo-web rust-web-src ||
        unpacked rust-src "900 MB" rustc cargo rust-src || die "no Rust with library sources in the package archive"
    # Not those of the compiler and its tools, which are in the package too.
    rm -rf "$root"/.toolchains/rust-src/usr/src/rustc-*/{compiler,src}
    with_rust rust-src rustc --version >&2
}

# The oldest Rust that the published crates promise to build with: rust-version in Cargo.toml.
oldest=$(sed -n 's/^rust-version = "\([0-9.]*\)"$/\1/p' "$root/Cargo.toml")

# rust_packages SUFFIX PACKAGE...: these packages of the oldest Rust. Their names have a suffix, where they say `@`, if
# the distribution's own Rust is older.
rust_packages() {
    local suffix=$1 package
    shift
    for package in "$@"; do printf '%s\n' "${package/@/$suffix}=$oldest.*"; done
}

# unpacked_rust_packages NAME SIZE PACKAGE...: with the suffix or without.
unpacked_rust_packages() {
    local name=$1 size=$2 web plain
    shift 2
    mapfile -t web < <(rust_packages -web "$@")
    mapfile -t plain < <(rust_packages '' "$@")
    unpacked "$name" "$size" "${web[@]}" || unpacked "$name" "$size" "${plain[@]}" ||
        die "the package archive no longer offers Rust $oldest. Either install it with rustup
(rustup toolchain install $oldest), or raise rust-version in Cargo.toml on purpose"
}

# That Rust. Afterwards `with_rust "rust-$oldest" cargo ...` runs it.
rust_oldest() {
    unpacked_rust_packages "rust-$oldest" "400 MB" rustc@ cargo@ libstd-rust@-dev "libstd-rust@-$oldest"
}

# with_rust NAME COMMAND...: with the Rust that was unpacked under this name.
with_rust() {
    local folder=$root/.toolchains/$1
    shift
    LD_LIBRARY_PATH=$(libraries "$folder") PATH=$folder/usr/bin:$PATH \
        RUSTC=$folder/usr/bin/rustc RUSTDOC=$folder/usr/bin/rustdoc "$@"
}

# libraries FOLDER: where the shared libraries are of what was unpacked there.
libraries() {
    find "$1/usr/lib" "$1/lib" -maxdepth 1 -name '*-linux-gnu' 2>/dev/null | paste -sd : || true
}
