# Part of ./dev: the site of the documentation.

# run_site [CONFIG]. Without --quiet, under which MkDocs does not count the warnings that are to fail it.
run_site() { PYTHONDONTWRITEBYTECODE=1 "$(environment docs)/bin/mkdocs" build --config-file "${1:-tools/docs/mkdocs.yml}"; }

# The site, and that what is wrong with a page fails it: in copies with a fault each.
test_site() {
  run_site || return
  local folder fault failed=""
  folder=$(mktemp -d)
  sed "s|\.\./\.\./docs|$folder/docs|; s|\.\./\.\./build/site|$folder/site|; s|\[site.py\]|[$PWD/tools/docs/site.py]|; s|\[search\]|[]|" tools/docs/mkdocs.yml >"$folder/mkdocs.yml"
  for fault in "" "[link](nowhere.md)" "[anchor](errors.md#nowhere)" "[file](../src/nowhere.cpp)" "a page outside of the navigation"; do
    rm -rf "$folder/docs"
    cp -r docs "$folder/docs"
    if [[ $fault == a\ page* ]]; then printf '# Stray\n' >"$folder/docs/stray.md"; else printf '\n%s\n' "$fault" >>"$folder/docs/index.md"; fi
    if run_site "$folder/mkdocs.yml" >"$folder/log" 2>&1; then
      [[ -z $fault ]] || failed=1 && say "${fault:-no fault}: built"
    else
      [[ -n $fault ]] || failed=1 && say "${fault:-no fault}: refused"
    fi
  done
  rm -rf "$folder"
  [[ -z $failed ]]
}

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
