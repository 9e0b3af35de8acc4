# Part of ./dev: making packages.

packages=build/package

command_package() {
  (($# == 0)) || fail 2 "package takes no arguments"
  mkdir -p build
  if [[ -n $sizes ]]; then package_sizes; return; fi
  want_packages build package
  want_onednn
  want_environment package
  want_build_folder distribution
  prepare 20
  rm -rf "$packages"
  local python
  python="$(environment package)/bin/python"
  # The archive is laid out for any folder, the packages for /usr.
  configure distribution -DONNXRUN_DEBIAN=OFF -DONNXRUN_PYTHON=OFF
  build_targets distribution shipped
  make_packages TGZ
  if ! have dpkg-shlibdeps; then
    say "Without dpkg-shlibdeps no Debian packages are made."
  else
    configure distribution -DONNXRUN_DEBIAN=ON -DONNXRUN_PYTHON=ON "-DPython_EXECUTABLE=$python" "-DONNXRUN_PACKAGE_DATE=$(package_date)"
    build_targets distribution shipped
    make_packages DEB
  fi
  say "Made $packages:"
  (cd "$packages" && ls -sh --block-size=K -- *.deb *.tar.gz)
}

# The builds of docs/packages.md.
package_sizes() {
  want_packages build
  want_onednn
  want_build_folder distribution
  want_build_folder no-onednn
  prepare 30
  configure distribution -DONNXRUN_DEBIAN=OFF -DONNXRUN_PYTHON=OFF
  build_targets distribution shipped
  configure no-onednn -DONNXRUN_PYTHON=OFF
  build_targets no-onednn shipped
  run_reduced
  local peers=()
  if environment_ready peers; then peers=(--peers "$(environment peers)/bin/python"); else
    say "Without ./dev fetch peers ONNX Runtime's wheel is left out."
  fi
  python3 tools/sizes.py full=build/distribution without-oneDNN=build/no-onednn reduced=build/reduced --json build/sizes.json "${peers[@]}"
}

# make_packages GENERATOR
make_packages() {
  (cd build/distribution && cpack -G "$1" >cpack.log 2>&1) || { tail -n 40 build/distribution/cpack.log >&2; fail 1 "cpack could not make packages"; }
  rm -rf "$packages/_CPack_Packages"
}

# The commit's date, so that one commit gives the same packages.
package_date() {
  date -R -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
}
