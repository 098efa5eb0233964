#!/bin/sh
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
finish
