# Part of ./dev: formatting and static checks.

# The formatter's layout differs between versions: the distribution's is used only where it is the pinned one.
formatter() {
  if have clang-format && [[ $(clang-format --version) == *"version 14."* ]]; then
    say clang-format
  else
    say "$(environment check)/bin/clang-format"
  fi
}
want_formatter() {
  [[ $(formatter) == clang-format ]] || want_environment check
}

sources() { git ls-files -- '*.cpp' '*.hpp' '*.h' '*.c' '*.cu' '*.cuh'; }
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } |
    grep -E '\.(cpp|hpp|h|c|cu|cuh)$' | sort -u || true
}

run_format_check() { sources | xargs -r "$(formatter)" --dry-run -Werror; }
run_include_check() { python3 tools/check_includes.py; }
run_shell_check() { bash -n dev .ci/run tools/abi.sh tools/dev/*.sh; }
run_tidy() {
  local files
  mapfile -t files < <(changed_sources | grep -E '\.cpp$' | grep -v '/simd/' || true)
  ((${#files[@]})) || { say "no changed sources"; return 0; }
  clang-tidy -p build/release --quiet "${files[@]}"
}

command_check() {
  (($# == 0)) || fail 2 "check takes no arguments"
  want_packages build check
  want_onednn
  want_formatter
  prepare 5
  stage "formatting" run_format_check
  stage "includes" run_include_check
  stage "shell" run_shell_check
  stage "C ABI" tools/abi.sh
  if [[ -e build/release/compile_commands.json ]]; then stage "clang-tidy" run_tidy; else
    say "No build/release: clang-tidy is left out; ./dev build makes it."
  fi
  ((${#failed[@]} == 0)) || fail 1 "failed: ${failed[*]}"
}

command_format() {
  want_formatter
  prepare 1
  if [[ ${1:-} == --all ]]; then sources; else changed_sources; fi | xargs -r "$(formatter)" -i
}
