#!/bin/sh
# A command of the application: cake.sh migrations status. In a tree of its own, so that it goes on
# when the server is stopped.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"

[ ! -e "$OSV4_ENV_FILE" ] || osv4_load_env "$OSV4_ENV_FILE"
osv4_secrets
osv4_extract cake
osv4_cake "$@"
