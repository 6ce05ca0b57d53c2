#!/bin/sh
# Builds the environment and stops: a face of ./lab build.
exec sh "$(dirname -- "$0")/lab" build "$@"
