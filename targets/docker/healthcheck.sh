#!/bin/sh
# Healthy is what answers /healthz on the port that this container serves.
set -eu
port=${PORT:-${APP_PORT:-8080}}
exec wget -q -T 4 -O /dev/null "http://127.0.0.1:$port/healthz"
