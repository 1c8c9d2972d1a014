# One image for everything that runs on Node: ingest (the default), the edge, the door, and the commands.
#
#   docker build -t playhead .
#   docker run playhead                                  ingest
#   docker run playhead node edge/node.ts                the edge
#   docker run playhead node ingest/redis-rest/main.ts   the door
#   docker run --init playhead node commands/migrate.ts  a command; --init, so that Ctrl-C reaches it
#
# Nothing is written to its file system, which may be read-only. What it reads from the environment: docs/operations.md.

FROM node:24.21.0-trixie-slim AS node
ENV NODE_ENV=production
WORKDIR /app

# Left out: what only development needs, and the Node that package.json brings for machines with an older one.
FROM node AS packages
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY db db
COPY edge edge
COPY ingest ingest
COPY commands commands

# In a container loopback is nobody's.
ENV EDGE_HOST=0.0.0.0 INGEST_HOST=0.0.0.0 REDIS_REST_HOST=0.0.0.0
EXPOSE 8787 8788 8789
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "commands/health.ts"]
# Ingest finishes its turns and gives itself 15 s for it: whoever stops it must wait longer than that.
STOPSIGNAL SIGTERM
CMD ["node", "ingest/main.ts"]
