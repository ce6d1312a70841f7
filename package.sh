#!/usr/bin/env bash
# Makes one reproducible zip per function in dist/, or (--into DIR NAME) one function's folder for `sam build`.
# This part only finds a Python; the work is in tools/packaging/package.py. `./package.sh --help` lists the options.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$root PYTHONDONTWRITEBYTECODE=1

# Prints major.minor of an interpreter that works and has pip; a shim of pyenv may be in PATH and not work.
version_of() {
  "$1" -c 'import pip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# A Python that was named is taken or refused, never replaced by another one.
if [ -n "${PYTHON:-}" ]; then
  if [ -z "$(version_of "$PYTHON" || true)" ]; then
    echo "package.sh: PYTHON=$PYTHON: is not there, does not run or has no pip; expected a Python 3.13 with pip." >&2
    echo "Name one that works, or leave PYTHON unset: package.sh then looks for one itself." >&2
    exit 1
  fi
  exec "$PYTHON" "$root/tools/packaging/package.py" "$@"
fi

candidates=(python3.13 python3 python)
if command -v pyenv >/dev/null 2>&1; then
  for installed in "$(pyenv root)"/versions/3.13*/bin/python3.13; do
    candidates+=("$installed")
  done
fi

for candidate in "${candidates[@]}"; do
  if [ "$(version_of "$candidate" || true)" = 3.13 ]; then
    exec "$candidate" "$root/tools/packaging/package.py" "$@"
  fi
done

# Any other Python can fetch and lay out the files, but not compile them for 3.13: package.py says what follows.
for candidate in "${candidates[@]}"; do
  case "$(version_of "$candidate" || true)" in
    3.9 | 3.1[0-9]) exec "$candidate" "$root/tools/packaging/package.py" "$@" ;;
  esac
done

echo "package.sh: found no Python with pip (tried: ${candidates[*]}); expected Python 3.13." >&2
echo "Install it (pyenv install 3.13), or name one: PYTHON=/path/to/python3.13 ./package.sh" >&2
exit 1
