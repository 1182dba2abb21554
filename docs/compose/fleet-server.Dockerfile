# The fleet server with its relay. The dashboard is built in a first step; the second has what runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npx vite build fleet-server/web && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /app
COPY setup/packages setup/packages
RUN apt-get update \
 && sed 's/#.*//' setup/packages/relay.txt | xargs apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/protocol protocol
COPY --from=build /app/hardware-profiles hardware-profiles
COPY --from=build /app/fleet-server fleet-server
RUN mkdir -p /data /shared && chown node:node /data /shared
USER node
ENV NODE_ENV=production FLEET_DATA_DIR=/data MALLOC_ARENA_MAX=2
EXPOSE 8080 1883 1935
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=20", "fleet-server/main.ts"]
