# Part of ./dev: configuring, building and showing.

# configure PRESET [CMAKE_ARGUMENT]...
configure() {
  local preset=$1 arguments=()
  shift
  if [[ -n ${ONNXRUN_ONEDNN_ROOT:-} ]]; then
    arguments+=("-DONNXRUN_ONEDNN_ROOT=$ONNXRUN_ONEDNN_ROOT")
  elif ! onednn_in_system; then
    if onednn_in_cache; then
      arguments+=("-DONNXRUN_ONEDNN_ROOT=$onednn_root")
    else
      say "No oneDNN >= 3.1 for this machine: building without it."
      arguments+=("-DONNXRUN_ONEDNN=OFF")
    fi
  fi
  if [[ $preset == release || $preset == asan ]] && environment_ready package; then
    arguments+=(-DONNXRUN_PYTHON=ON "-DPython_EXECUTABLE=$(environment package)/bin/python")
  fi
  cmake --preset "$preset" "${arguments[@]}" "$@" >"build/$preset.log" 2>&1 ||
    { tail -n 40 "build/$preset.log" >&2; fail 1 "CMake could not configure preset $preset"; }
}

# Counts what a build takes beside the packages.
want_build_folder() { [[ -e build/$1/build.ninja ]] || add_sizes 0 180; }

# build_targets PRESET TARGET...
build_targets() {
  local preset=$1
  shift
  cmake --build "build/$preset" --parallel "$jobs" --target "$@"
}

command_build() {
  local preset=${1:-release}
  (($# <= 1)) || fail 2 "build takes one preset"
  grep -q "\"name\": \"$preset\", \"configurePreset\"" CMakePresets.json || fail 2 "unknown preset '$preset'; ./dev --help lists them"
  mkdir -p build
  want_packages build
  [[ $preset != asan ]] || want_packages fuzz
  want_onednn
  want_build_folder "$preset"
  prepare 20
  if [[ $preset == cuda ]]; then configure cuda ${ONNXRUN_CUDA_ARCHITECTURES:+"-DCMAKE_CUDA_ARCHITECTURES=$ONNXRUN_CUDA_ARCHITECTURES"}
  else configure "$preset"; fi
  if [[ $preset == cuda ]]; then
    build_targets cuda onnxrun_provider_cuda
    say "Built build/cuda/lib/libonnxrun_provider_cuda.so: onnx-run --provider-library=FILE --provider=cuda --provider=cpu"
    return 0
  fi
  build_targets "$preset" shipped
  [[ ! -x build/$preset/bin/onnx-run ]] || say "Built build/$preset/bin/onnx-run"
}

command_demo() {
  (($# == 0)) || fail 2 "demo takes no arguments"
  command_build release
  say ""
  build/release/examples/digits examples/digits/digits.onnx examples/digits/7.png
  demo_text
}

# Either environment can fetch the model.
want_text_model() {
  environment_ready peers || want_environment conformance
  want "the recognition model of PP-OCRv4" 15 11
}

# Fetches the recognition model of PP-OCRv4 and reads a line of text with it; offline it says so and succeeds.
demo_text() {
  local models=$cache/models name=ppocrv4_rec
  [[ -x build/release/examples/read_text ]] || return 0
  if [[ ! -e $models/$name/model.onnx ]]; then
    say ""
    say "The second half of the demo reads a line of text with PP-OCRv4."
    if [[ -n $offline ]] || ! (want_text_model && prepare 2 && fetch_models --only "^$name\$"); then
      say "The model could not be fetched, so the line of text is left out."
      return 0
    fi
  fi
  say ""
  build/release/examples/read_text "$models/$name/model.onnx" examples/read_text/hello.png
}

command_bench() {
  mkdir -p build
  want_packages build bench
  want_onednn
  want_build_folder release
  [[ ! ${1:-} =~ ^(peers|goals|operators)$ ]] || want_environment bench
  [[ ${1:-} != optimizer ]] || want_environment optimizers
  prepare 30
  configure release -DONNXRUN_BENCHMARKS=ON
  build_targets release benchmarks
  case ${1:-} in
    peers | kernels | goals | operators)
      [[ $1 != goals ]] || build_targets release shipped
      "bench_$1" "${@:2}"
      return ;;
  esac
  if [[ ${1:-} == optimizer ]]; then
    build_targets release shipped
    bench_optimizer "${@:2}"
    return
  fi
  local program
  for program in build/release/bin/bench_*; do
    [[ -x $program ]] || fail 1 "there are no benchmarks"
    "$program" --benchmark_filter="${1:-.}"
  done
}

# Finds the folders of real models that the cache holds.
find_model_folders() {
  local folder
  folders=()
  for folder in "$cache/models" "$cache/exports"; do [[ ! -d $folder ]] || folders+=("$folder"); done
  ((${#folders[@]})) || fail 1 "there are no models: ./dev fetch models exports"
}

# What other optimizers make of them, beside ours.
bench_optimizer() {
  local folders
  find_model_folders
  "$(environment optimizers)/bin/python" benchmarks/optimizer.py "${folders[@]}" --json build/optimizer.json --markdown build/optimizer.md "$@"
}

# Measures what of real models the cache holds; the report names those it lacks.
bench_peers() {
  local folders
  find_model_folders
  [[ ! -d $cache/quantized ]] || folders+=("$cache/quantized")
  "$(environment bench)/bin/python" benchmarks/peers.py "${folders[@]}" --json build/peers.json --markdown build/peers.md --plot build/peers.svg "$@"
}

# Models of one node.
bench_operators() {
  "$(environment bench)/bin/python" benchmarks/operators.py --json build/operators.json --markdown build/operators.md "$@"
}

# Single kernels beside what the machine can do.
bench_kernels() {
  python3 benchmarks/roofline.py build/release/bin --json build/kernels.json --markdown build/kernels.md "$@"
}

# What is promised beside speed: loading, memory, overhead, idling, new shapes.
bench_goals() {
  local folders
  find_model_folders
  "$(environment bench)/bin/python" benchmarks/goals.py "${folders[@]}" --json build/goals.json --markdown build/goals.md "$@"
}

command_clean() {
  rm -rf build
}
