-- CreateEnum
CREATE TYPE "image_format" AS ENUM ('JPEG', 'PNG', 'WEBP', 'GIF', 'AVIF', 'TIFF', 'HEIF');

-- CreateEnum
CREATE TYPE "generation_state" AS ENUM ('BUILDING', 'READY', 'LIVE', 'RETIRED', 'FAILED');

-- CreateEnum
CREATE TYPE "job_kind" AS ENUM ('INGEST', 'REINDEX', 'TAG', 'REVERT_TAGS', 'TRAIN', 'EVALUATE', 'VERIFY', 'SNAPSHOT');

-- CreateEnum
CREATE TYPE "job_state" AS ENUM ('PLANNED', 'QUEUED', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "job_item_state" AS ENUM ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'SKIPPED');

-- CreateEnum
CREATE TYPE "role" AS ENUM ('READER', 'CURATOR', 'ADMIN');

-- CreateTable
CREATE TABLE "collections" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "active_text_model_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "collections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sources" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "collection_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "folder" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_scanned_at" TIMESTAMPTZ(3),

    CONSTRAINT "sources_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "images" (
    "id" BIGSERIAL NOT NULL,
    "collection_id" UUID NOT NULL,
    "source_id" UUID,
    "path" TEXT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" BIGINT NOT NULL,
    "format" "image_format" NOT NULL,
    "taken_at" TIMESTAMPTZ(3),
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "file_mtime_ns" BIGINT,

    CONSTRAINT "images_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vision_spaces" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "fingerprint" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "dimensions" INTEGER NOT NULL,
    "backbone" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "vision_spaces_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "text_models" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "vision_space_id" UUID NOT NULL,
    "language_model" TEXT NOT NULL,
    "metrics" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "text_models_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "embeddings" (
    "vision_space_id" UUID NOT NULL,
    "sha256" BYTEA NOT NULL,
    "vector" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "embeddings_pkey" PRIMARY KEY ("vision_space_id","sha256")
);

-- CreateTable
CREATE TABLE "index_entries" (
    "vision_space_id" UUID NOT NULL,
    "image_id" BIGINT NOT NULL,
    "collection_id" UUID NOT NULL,
    "sha256" BYTEA,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "index_entries_pkey" PRIMARY KEY ("vision_space_id","image_id")
);

-- CreateTable
CREATE TABLE "generations" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "collection_id" UUID NOT NULL,
    "vision_space_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "state" "generation_state" NOT NULL DEFAULT 'BUILDING',
    "checks" JSONB NOT NULL DEFAULT '[]',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "promoted_at" TIMESTAMPTZ(3),

    CONSTRAINT "generations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "jobs" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "kind" "job_kind" NOT NULL,
    "state" "job_state" NOT NULL DEFAULT 'PLANNED',
    "collection_id" UUID,
    "input" JSONB NOT NULL,
    "plan" JSONB,
    "result" JSONB,
    "max_attempts" INTEGER NOT NULL DEFAULT 3,
    "idempotency_key" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_items" (
    "id" BIGSERIAL NOT NULL,
    "job_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "payload" JSONB,
    "state" "job_item_state" NOT NULL DEFAULT 'PENDING',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lost_leases" INTEGER NOT NULL DEFAULT 0,
    "lease_token" UUID,
    "lease_until" TIMESTAMPTZ(3),
    "not_before" TIMESTAMPTZ(3),
    "reason_code" TEXT,
    "message" TEXT,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_items_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL DEFAULT '',
    "prefix" TEXT NOT NULL,
    "secret_sha256" BYTEA NOT NULL,
    "role" "role" NOT NULL,
    "all_collections" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key_scopes" (
    "api_key_id" UUID NOT NULL,
    "collection_id" UUID NOT NULL,

    CONSTRAINT "api_key_scopes_pkey" PRIMARY KEY ("api_key_id","collection_id")
);

-- CreateTable
CREATE TABLE "sign_in_tokens" (
    "sha256" BYTEA NOT NULL,
    "role" "role" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "sign_in_tokens_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT,
    "detail" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "collections_name_key" ON "collections"("name");

-- CreateIndex
CREATE UNIQUE INDEX "sources_collection_id_name_key" ON "sources"("collection_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "sources_collection_id_folder_key" ON "sources"("collection_id", "folder");

-- CreateIndex
CREATE INDEX "images_collection_id_id_idx" ON "images"("collection_id", "id");

-- CreateIndex
CREATE INDEX "images_collection_id_sha256_idx" ON "images"("collection_id", "sha256");

-- CreateIndex
CREATE INDEX "images_sha256_idx" ON "images"("sha256");

-- CreateIndex
CREATE INDEX "images_collection_id_taken_at_idx" ON "images"("collection_id", "taken_at");

-- CreateIndex
CREATE INDEX "images_source_id_idx" ON "images"("source_id");

-- CreateIndex
CREATE UNIQUE INDEX "images_collection_id_path_key" ON "images"("collection_id", "path");

-- CreateIndex
CREATE UNIQUE INDEX "vision_spaces_fingerprint_key" ON "vision_spaces"("fingerprint");

-- CreateIndex
CREATE UNIQUE INDEX "text_models_fingerprint_key" ON "text_models"("fingerprint");

-- CreateIndex
CREATE UNIQUE INDEX "text_models_name_version_key" ON "text_models"("name", "version");

-- CreateIndex
CREATE UNIQUE INDEX "index_entries_seq_key" ON "index_entries"("seq");

-- CreateIndex
CREATE INDEX "index_entries_collection_id_vision_space_id_seq_idx" ON "index_entries"("collection_id", "vision_space_id", "seq");

-- CreateIndex
CREATE INDEX "index_entries_image_id_idx" ON "index_entries"("image_id");

-- CreateIndex
CREATE UNIQUE INDEX "generations_collection_id_number_key" ON "generations"("collection_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "jobs_created_by_idempotency_key_key" ON "jobs"("created_by", "idempotency_key");

-- CreateIndex
CREATE INDEX "jobs_collection_id_created_at_idx" ON "jobs"("collection_id", "created_at");

-- CreateIndex
CREATE INDEX "jobs_state_idx" ON "jobs"("state");

-- CreateIndex
CREATE INDEX "job_items_job_id_state_id_idx" ON "job_items"("job_id", "state", "id");

-- CreateIndex
CREATE INDEX "job_items_job_id_finished_at_idx" ON "job_items"("job_id", "finished_at");

-- CreateIndex
CREATE UNIQUE INDEX "job_items_job_id_key_key" ON "job_items"("job_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_prefix_key" ON "api_keys"("prefix");

-- CreateIndex
CREATE INDEX "api_key_scopes_collection_id_idx" ON "api_key_scopes"("collection_id");

-- CreateIndex
CREATE INDEX "audit_entries_at_idx" ON "audit_entries"("at");

-- AddForeignKey
ALTER TABLE "collections" ADD CONSTRAINT "collections_active_text_model_id_fkey" FOREIGN KEY ("active_text_model_id") REFERENCES "text_models"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sources" ADD CONSTRAINT "sources_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "images" ADD CONSTRAINT "images_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "images" ADD CONSTRAINT "images_source_id_fkey" FOREIGN KEY ("source_id") REFERENCES "sources"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "text_models" ADD CONSTRAINT "text_models_vision_space_id_fkey" FOREIGN KEY ("vision_space_id") REFERENCES "vision_spaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_vision_space_id_fkey" FOREIGN KEY ("vision_space_id") REFERENCES "vision_spaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "index_entries" ADD CONSTRAINT "index_entries_vision_space_id_fkey" FOREIGN KEY ("vision_space_id") REFERENCES "vision_spaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "index_entries" ADD CONSTRAINT "index_entries_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "generations" ADD CONSTRAINT "generations_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "generations" ADD CONSTRAINT "generations_vision_space_id_fkey" FOREIGN KEY ("vision_space_id") REFERENCES "vision_spaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_items" ADD CONSTRAINT "job_items_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key_scopes" ADD CONSTRAINT "api_key_scopes_api_key_id_fkey" FOREIGN KEY ("api_key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key_scopes" ADD CONSTRAINT "api_key_scopes_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What the Prisma schema language can't say -----------------------------------------------------

-- Numbers changes of index entries; see store/changes.ts.
CREATE SEQUENCE "index_seq" AS BIGINT CACHE 1;

-- Embeddings don't compress.
ALTER TABLE "embeddings" ALTER COLUMN "vector" SET STORAGE EXTERNAL;

ALTER TABLE "images" ADD CONSTRAINT "images_sha256_length" CHECK (octet_length("sha256") = 32);
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_sha256_length" CHECK (octet_length("sha256") = 32);
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_whole_floats" CHECK (octet_length("vector") > 0 AND octet_length("vector") % 4 = 0);
ALTER TABLE "vision_spaces" ADD CONSTRAINT "vision_spaces_dimensions_positive" CHECK ("dimensions" > 0);

-- At most one generation of a collection is live.
CREATE UNIQUE INDEX "generations_one_live" ON "generations"("collection_id") WHERE "state" = 'LIVE';

-- What workers claim from, in order; stays small however long the ledger grows.
CREATE INDEX "job_items_pending" ON "job_items"("job_id", "id") WHERE "state" = 'PENDING';
