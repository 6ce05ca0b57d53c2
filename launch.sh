#!/bin/sh
# Opens the app, building the environment first where needed: a face of ./lab app.
exec "$(dirname -- "$0")/lab" app "$@"
