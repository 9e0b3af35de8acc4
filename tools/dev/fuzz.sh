# Part of ./dev: fuzzing with libFuzzer, and load for as long as asked.

fuzzers() { local source; for source in tests/fuzz/*_fuzz.cpp; do source=${source##*/}; say "${source%_fuzz.cpp}"; done; }

# What a fuzzer starts from: the stored corpus, what earlier runs found, and models of the official suite where they are in the cache.
fuzz() {
  local name=$1 found=build/asan/corpus/$1 seeds=("tests/fuzz/corpus/$1")
  [[ $name != differential ]] || seeds=(tests/fuzz/corpus/graph)
  mkdir -p "$found" build/asan/findings
  if [[ $name == @(model|graph|differential) && -d $suite ]]; then
    mkdir -p build/asan/seeds
    find "$suite" -name model.onnx -size -8k -print0 | while IFS= read -r -d '' model; do
      cp -n "$model" "build/asan/seeds/$(cksum <"$model" | tr ' ' '_').onnx"
    done
    seeds+=(build/asan/seeds)
  fi
  "build/asan/bin/${name}_fuzz" "-max_total_time=$((minutes * 60))" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
    "-artifact_prefix=build/asan/findings/${name}_" "$found" "${seeds[@]}"
}

command_fuzz() {
  local name names=("$@")
  minutes=${minutes:-2}
  [[ ${names[*]} != all ]] || mapfile -t names < <(fuzzers)
  ((${#names[@]})) || fail 2 "fuzz needs one of: all $(fuzzers | tr '\n' ' ')"
  for name in "${names[@]}"; do
    [[ -e tests/fuzz/${name}_fuzz.cpp ]] || fail 2 "there is no fuzzer '$name'; there are: all $(fuzzers | tr '\n' ' ')"
  done
  mkdir -p build
  want_packages build fuzz
  want_onednn
  want_build_folder asan
  prepare 30
  configure asan
  build_targets asan "${names[@]/%/_fuzz}"
  for name in "${names[@]}"; do stage "fuzzing $name for $minutes minutes" fuzz "$name"; done
  ((${#failed[@]} == 0)) || fail 1 "found something: see build/asan/findings; a file that shows it belongs in tests/fuzz/corpus"
}

command_soak() {
  (($# == 0)) || fail 2 "soak takes no arguments but --minutes"
  mkdir -p build
  want_packages build
  want_onednn
  want_build_folder release
  prepare 20
  configure release
  build_targets release soak
  build/release/bin/soak --minutes "${minutes:-2}" examples/digits/digits.onnx
}
