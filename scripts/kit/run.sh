#!/usr/bin/env bash
# Tests and measures Ridgepoint on this machine, which needs neither Node nor a network: an x86-64 Linux with bash, tar
# and any of xz, python3, busybox or dpkg-deb.
#
# usage: run.sh [--quick | --full] [--software] [--seconds N] [--keep FOLDER] [--resume FOLDER] [--peer FILE] [FOLDER]
#   FOLDER           where results go; default $OUT, else ./results
#   --quick          fewer points, as on a machine without a GPU
#   --full           all models, as on a GPU
#   --software       leave a GPU aside
#   --seconds N      stop after that many; default 560
#   --keep FOLDER    keep there what was unpacked, chosen and measured; a second call goes on from it
#   --resume FOLDER  go on from these results, of an earlier call or another machine of the kind
#   --peer FILE      PyTorch's figures from a file, instead of measuring them
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
out=${OUT:-}
keep=
resume=
options=()
path_of() { printf '%s/%s' "$(cd "$(dirname "$1")" && pwd)" "$(basename "$1")"; }
while [ $# -gt 0 ]; do
  case $1 in
    --quick | --full | --software) options+=("$1") ;;
    --seconds) options+=("$1" "${2:-}"); shift ;;
    --peer)
      [ -f "${2:-}" ] || { echo "run.sh: --peer needs a file, found \"${2:-}\"" >&2; exit 2; }
      options+=("$1" "$(path_of "$2")"); shift ;;
    --keep) keep=${2:-}; shift ;;
    --resume)
      [ -f "${2:-}/summary.json" ] || { echo "run.sh: --resume needs a folder of results, found \"${2:-}\"" >&2; exit 2; }
      resume=$(cd "$2" && pwd); shift ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) echo "run.sh: unknown option $1; see run.sh --help" >&2; exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
out=${out:-$PWD/results}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1

# A failure before Node runs still leaves a summary.
fail() {
  echo "run.sh: $1" >&2
  printf '{ "stages": [{ "name": "unpack", "exit": 1, "seconds": %d, "note": "%s" }] }\n' "$SECONDS" "$1" >"$out/summary.json"
  exit 1
}

if [ -n "$keep" ]; then
  mkdir -p "$keep/unpacked" "$keep/results" && keep=$(cd "$keep" && pwd) || fail "the folder of --keep cannot be made"
  work=$keep/unpacked
  [ -n "$resume" ] || [ ! -f "$keep/results/summary.json" ] || resume=$keep/results
  options+=(--keep "$keep/results")
else
  work=$(mktemp -d "${TMPDIR:-/tmp}/ridgepoint-kit.XXXXXX") || fail "no folder for temporary files can be made"
fi
[ -z "$resume" ] || options+=(--resume "$resume")
child=
finish() {
  [ -z "$child" ] || { kill -TERM "$child" 2>/dev/null && wait "$child"; }
  [ -n "$keep" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# dpkg reads xz without the program of that name, but only inside a package: an ar archive of three members.
as_package() {
  member() { printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' "$1" 0 0 0 100644 "$2"; }
  printf '!<arch>\n'
  member debian-binary 4
  printf '2.0\n'
  member control.tar 10240
  head -c 10240 /dev/zero
  member data.tar.xz "$(($(wc -c <"$1")))"
  cat "$1"
  [ $(($(wc -c <"$1") % 2)) -eq 0 ] || printf '\n'
}

unxz_to_stdout() {
  if command -v xz >/dev/null; then
    xz -dc "$1"
  elif command -v python3 >/dev/null && python3 -c 'import lzma' 2>/dev/null; then
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)' "$1"
  elif command -v dpkg-deb >/dev/null; then
    as_package "$1" >"$work/package.deb" && dpkg-deb --fsys-tarfile "$work/package.deb" && rm -f "$work/package.deb"
  elif command -v busybox >/dev/null; then
    busybox xz -dc "$1"
  else
    echo "none of xz, python3, dpkg-deb and busybox is here" >&2
    return 1
  fi
}

set -o pipefail
if ! cmp -s "$here/kit.json" "$work/unpacked.json"; then
  for archive in runtime app; do
    unxz_to_stdout "$here/$archive.tar.xz" | tar -x -C "$work" -f - --no-same-owner || fail "$archive.tar.xz cannot be unpacked"
  done
  cp "$here/kit.json" "$work/unpacked.json"
fi

node=$work/bin/node
if ! "$node" --version >/dev/null 2>"$work/error"; then
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/spare-node"
  "$node" --version >/dev/null 2>>"$work/error" || fail "Node does not run here: $(tr -d '\n"\\' <"$work/error" | head -c 400)"
fi

mkdir -p "$work/cache" "$work/tmp"
export XDG_CACHE_HOME=$work/cache TMPDIR=$work/tmp HOME=${HOME:-$work}
"$node" "$work/ridgepoint/scripts/kit/run.mjs" --output "$out" --unpacked "$work" --spent "$SECONDS" "${options[@]+"${options[@]}"}" &
child=$!
wait "$child"
code=$?
child=
exit "$code"
