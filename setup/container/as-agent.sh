#!/bin/sh
# Runs a command as the agent's user, without any right of root's, now or later. Who is no longer root keeps the user that it has.
set -eu
if [ "$(id -u)" = 0 ]; then
  export HOME=/home/node
  exec setpriv --reuid=node --regid=node --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
fi
exec "$@"
