# Part of ./dev: the site of the documentation.

# Without --quiet, under which MkDocs does not count the warnings that are to fail it.
run_site() { PYTHONDONTWRITEBYTECODE=1 "$(environment docs)/bin/mkdocs" build --config-file tools/docs/mkdocs.yml; }

command_docs() {
  [[ $# == 0 || "$*" == --serve ]] || fail 2 "docs takes no arguments but --serve"
  want_environment docs
  if ! have python3 || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then want_packages build; fi
  prepare 1
  if [[ ${1:-} == --serve ]]; then
    "$(environment docs)/bin/mkdocs" serve --config-file tools/docs/mkdocs.yml --dev-addr 127.0.0.1:8000 --livereload --watch include --watch python/onnxrun --watch tools/docs
    return
  fi
  run_site || fail 1 "the site could not be built"
  say "Built build/site/index.html"
}
