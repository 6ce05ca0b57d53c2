#!/bin/sh
# Opens the app, building the environment first where needed: a face of ./lab app.
exec sh "$(dirname -- "$0")/lab" app "$@"
