#!/bin/sh
# Back to the release before: rollback.sh [--prefix DIR] [--dry-run]. Again, and it is forward.
set -eu

exec "$(dirname -- "$0")/upgrade.sh" --rollback "$@"
