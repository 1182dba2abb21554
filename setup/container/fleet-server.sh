#!/bin/sh
# The fleet server's program as a person in its container calls it: `makespacelive join-token` and what else works beside the server.
exec node "$(dirname "$(readlink -f "$0")")/../../.build/server/fleet-server.js" "$@"
