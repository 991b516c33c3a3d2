#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing, quietly: setup.sh [build|demo|test].
# build: enough for build/release/mikura (g++ only). demo: build, and the clients of the walk.
# test: everything. docs/dependencies.md says what each is for.
set -euo pipefail

build="ca-certificates git cmake ninja-build g++ ccache mold pkg-config python3
  libboost1.81-dev libboost-json1.81-dev libssl-dev libsqlite3-dev libcli11-dev libfmt-dev
  libxxhash-dev libluajit-5.1-dev"
demo="awscli redis-tools python3-pymemcache libmemcached-tools"
test="clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev llvm-14
  libgtest-dev libgmock-dev libbenchmark-dev python3-botocore python3-boto3 python3-redis
  redis-server memcached sasl2-bin util-linux perl tcl dpkg-dev xz-utils
  valgrind
  python3-rq python3-celery python3-django python3-django-redis python3-channels-redis
  python3-pylibmc ruby ruby-redis ruby-sidekiq ruby-dalli php-cli php-redis php-predis libhiredis-dev
  libredis-perl"

# Node.js from elsewhere brings an npm of its own, beside which Debian's cannot be installed.
command -v node >/dev/null && command -v npm >/dev/null || test="$test nodejs npm"

case "${1:-test}" in
  build) wanted="$build" ;;
  demo) wanted="$build $demo" ;;
  test) wanted="$build $demo $test" ;;
  *)
    echo "usage: setup.sh [build|demo|test]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here. These Debian 12 packages, or their like, are needed:" $wanted >&2
  exit 1
fi

installed=$(dpkg-query -W -f='${Package} ${Status}\n' $wanted 2>/dev/null |
  sed -n 's/ install ok installed$//p' || true)
missing=""
for package in $wanted; do
  grep -qxF "$package" <<<"$installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: become root, or install sudo, to install:$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"; }
echo "> apt-get install$missing" >&2
if ! { apt update && apt install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; see above" >&2
  exit 1
fi

# The packages may have started services on the standard ports, where the demo and the tests of a
# newcomer would meet them. Only those that this call has brought are switched off.
for service in redis-server memcached; do
  case " $missing " in *" $service "*) ;; *) continue ;; esac
  if [ -d /run/systemd/system ]; then
    $as_root systemctl disable --now "$service" >/dev/null 2>&1 || true
  else
    $as_root service "$service" stop >/dev/null 2>&1 || true
  fi
done
