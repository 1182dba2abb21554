#!/bin/sh
# The program as a person in the container calls it: as the agent's user, so that what it writes is the agent's.
exec /app/setup/container/as-agent.sh /app/.build/agent/agent.js "$@"
