#!/bin/sh
# Installs what distil's tests, examples and benches need and is missing; silent when nothing is.
#   sh cmake/setup.sh           compiler, CMake, Ninja, xsimd, Eigen, GoogleTest, Google Benchmark, zlib, Fashion-MNIST
#   sh cmake/setup.sh --ci      also what .ci/run needs: clang 14 with its tools
#   sh cmake/setup.sh --bench   also the libraries that the benches compare with, and valgrind
set -eu

needed="g++ cmake ninja-build libxsimd-dev libeigen3-dev libgtest-dev libbenchmark-dev zlib1g-dev"
wished="dataset-fashion-mnist"
for argument in "$@"; do
  case $argument in
    --ci) needed="$needed git clang-14 clang-format-14 libclang-rt-14-dev libomp-14-dev" ;;
    --bench) needed="$needed libtorch-dev libopenblas0-serial libdnnl-dev valgrind" ;;
    *)
      echo "setup.sh: unknown argument $argument; it must be --ci or --bench" >&2
      exit 2
      ;;
  esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  cat <<TEXT
distil: this script installs packages on Debian and Ubuntu only. Elsewhere, please have at hand:
  a C++20 compiler with OpenMP (g++ 12 or clang 14 and newer), CMake 3.25 or newer, Ninja,
  Eigen 3.4, xsimd 8.1 or newer, GoogleTest, Google Benchmark, zlib,
  and, for the quickstart on its full data, Fashion-MNIST in IDX files (its option --data).
TEXT
  exit 0
fi

# Prints those of its arguments that are not installed.
missing() {
  for package in "$@"; do
    case $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) in
      installed*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "distil: neither root nor sudo; please run this script as root, or: apt-get install $absent" >&2
    exit 1
  fi
}

# The names of packages are words without blanks: to split them is meant.
# shellcheck disable=SC2046,SC2086
install_missing() {
  absent=$(missing $needed $wished)
  [ -n "$absent" ] || return 0
  echo "distil: installing $absent"
  as_root apt-get update -qq
  for package in $(missing $wished); do
    if ! apt-cache show "$package" >/dev/null 2>&1; then
      echo "distil: this system has no package $package; going on without it"
      wished=
    fi
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    $(missing $needed $wished)
}
install_missing

version=$(cmake --version | sed -n '1s/[^0-9]*//p')
if [ "$(printf '%s\n3.25\n' "$version" | sort -V | head -n 1)" != 3.25 ]; then
  echo "distil: cmake $version is too old; it must be 3.25 or newer (as from: pip install cmake)" >&2
  exit 1
fi
