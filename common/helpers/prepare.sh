#!/bin/sh
# Makes the database ready, and ends: the container `migrate`, and what systemd runs before the
# server. Safe to run at any time and beside others: they wait for one another.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"

osv4_settings
osv4_validate
osv4_extract prepare
osv4_prepare
