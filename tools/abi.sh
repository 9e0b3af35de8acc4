#!/usr/bin/env bash
# Compares the types of the C headers with the dump of tests/c_abi/onnxrun.abi, which was made with libabigail. --write: makes the dump anew.
#
# The table may change while its version is 0, but never unseen: a change of the dump shows in the same commit what it does to programs that are there.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
dump=tests/c_abi/onnxrun.abi
for program in abidw abidiff; do
  command -v $program >/dev/null || { echo "$program is missing: it is in the package abigail-tools" >&2; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CC:-cc}" -std=c99 -g -Og -fno-eliminate-unused-debug-types -fno-eliminate-unused-debug-symbols -shared -fPIC \
  -I include tests/c_abi/probe.c -o "$folder/probe.so"
if [[ ${1:-} == --write ]]; then
  abidw --no-show-locs --no-comp-dir-path --no-corpus-path "$folder/probe.so" --out-file "$folder/dump"
  mv "$folder/dump" $dump
elif ! abidiff --no-show-locs $dump "$folder/probe.so"; then
  echo "The types of the C headers differ from $dump. Where that is meant, write it anew: tools/abi.sh --write" >&2
  exit 1
fi
