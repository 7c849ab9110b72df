# Sourced by the other scripts: the place, the folders, the toolchain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export BUILD=${BUILD:-.build}
export PREFIX=${PREFIX:-/usr/local}
export DESTDIR=${DESTDIR:-}
command -v swift >/dev/null || export PATH="$PATH:/opt/swift/usr/bin"
SWIFT=${SWIFT:-swift}
