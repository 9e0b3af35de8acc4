#!/usr/bin/env bash
# Installs the Debian packages of build/package in a fresh minimal system, runs the tool and the Python package there, and builds a user's programs
# against the development package, shared and static. Needs root, debootstrap and a Debian mirror.
#
#   tests/packages/minbase.sh SUITE FOLDER [MIRROR]
#
# SUITE is that of the system which the packages were made on (bookworm, trixie); FOLDER, which must not be there yet, is where the system is made, 1.2 GB. It is left there.
set -euo pipefail
(($# >= 2)) || { sed -n '2,/^set/p' "$0" | grep '^#' | cut -c3-; exit 2; }
source=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
suite=$1 root=$2
mirror=${3:-$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)}
packages=$(echo "$source"/build/package/*.deb)
[[ $packages == *libonnxrun0_* ]] || { echo "there are no packages: ./dev package makes them" >&2; exit 1; }

[[ ! -e $root ]] || { echo "$root is there already" >&2; exit 1; }
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 5 "$root.log"; exit 1; }
# What this machine needs to reach its mirror.
cp -n /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
[[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || install -D /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/root/packages"
# shellcheck disable=SC2086
cp $packages "$source/examples/digits/digits.onnx" "$root/root/packages/"
cp -r "$source/tests/consumer/project" "$root/root/consumer"
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT

inside() {
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    bash -euo pipefail -c "cd /root && $1"
}
# apt_install PACKAGE...
apt_install() { inside "apt-get install -q -y -o Dpkg::Use-Pty=0 --no-install-recommends $* >apt.log 2>&1 || { tail apt.log; exit 1; }"; }
step() { printf '== %s\n' "$1"; }

step "the library and the tool alone"
inside 'apt-get update -q >/dev/null'
apt_install './packages/libonnxrun0_*.deb ./packages/onnxrun-tools_*.deb'
inside 'onnx-run run packages/digits.onnx --dim batch=1 --seed 1 | tail -n 3; ldd /usr/bin/onnx-run | grep "not found" && exit 1 || true'
step "the Python package"
apt_install './packages/python3-onnxrun_*.deb'
inside 'python3 -c "
import numpy, onnxrun
result, = onnxrun.Session(\"packages/digits.onnx\").run([numpy.zeros((2, 1, 8, 8), numpy.float32)])
print(onnxrun.__version__, \"with NumPy\", numpy.__version__, result.shape)"'
step "a program that is linked with the shared library"
apt_install './packages/libonnxrun-dev_*.deb' g++ pkgconf cmake make
inside 'g++ -std=c++20 consumer/digits.cpp -o digits $(pkg-config --cflags --libs onnxrun) && ./digits packages/digits.onnx | head -n 2'
step "the static library without what it needs is refused by name"
inside 'rm -rf built && ! cmake -S consumer -B built -DONNXRUN_CONSUMER_COMPONENTS=static >log 2>&1 && tr -s "\n " " " <log | grep -o "apt-get install [-a-z0-9 ]*"'
step "programs of CMake and pkg-config that are linked with either library"
apt_install '$(dpkg-query -W -f "\${Recommends}" libonnxrun-dev | tr -d ,)'
inside 'rm -rf built && cmake -S consumer -B built >log && cmake --build built >>log && for p in shared_cpp static_cpp shared_c; do built/$p packages/digits.onnx | md5sum; done'
inside 'g++ -std=c++20 consumer/digits.cpp -o digits $(pkg-config --cflags --libs onnxrun-static) && ./digits packages/digits.onnx | md5sum'
step "removing leaves nothing"
inside 'apt-get remove -qq -y -o Dpkg::Use-Pty=0 --purge libonnxrun0 >/dev/null 2>&1 && ! find / -xdev -name "*onnxrun*" -not -path "/root/*" -not -path "/proc/*" | grep .'
