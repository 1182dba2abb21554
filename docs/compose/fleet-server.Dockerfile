# The fleet server with its relay. Program and dashboard are built in a first step; the second has what runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY setup/bundle-fleet-server.ts setup/
COPY setup/bundle setup/bundle
COPY protocol protocol
COPY fleet-server fleet-server
RUN node setup/bundle-fleet-server.ts && npx vite build fleet-server/web

FROM node:24-bookworm-slim
WORKDIR /app
COPY setup/packages setup/packages
RUN apt-get update \
 && sed 's/#.*//' setup/packages/relay.txt | xargs apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY setup/container/fleet-server.sh setup/container/
COPY --from=build /app/package.json ./
COPY --from=build /app/.build/server .build/server
COPY --from=build /app/fleet-server/web/dist fleet-server/web/dist
RUN mkdir -p /data /shared && chown node:node /data /shared \
 && ln -s /app/setup/container/fleet-server.sh /usr/local/bin/makespacelive
USER node
ENV NODE_ENV=production FLEET_DATA_DIR=/data MALLOC_ARENA_MAX=2
EXPOSE 8080 1883 1935
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=70", "--v8-pool-size=1", ".build/server/fleet-server.js"]
