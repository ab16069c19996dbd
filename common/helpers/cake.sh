#!/bin/sh
# A command of the application: cake.sh migrations status. In a tree of its own, so that it goes on
# when the server is stopped.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"

osv4_settings
osv4_extract cake
osv4_cake "$@"
