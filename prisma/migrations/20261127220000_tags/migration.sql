-- Vocabularies, tag runs, what people said about tags, and what files brought along.
-- CreateEnum
CREATE TYPE "tag_run_state" AS ENUM ('BUILDING', 'APPLIED', 'REVERTED');

-- CreateEnum
CREATE TYPE "verdict" AS ENUM ('ACCEPTED', 'REJECTED');

-- CreateTable
CREATE TABLE "vocabularies" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "version" INTEGER NOT NULL DEFAULT 1,
    "is_open" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "vocabularies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vocabulary_versions" (
    "vocabulary_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "label_count" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,

    CONSTRAINT "vocabulary_versions_pkey" PRIMARY KEY ("vocabulary_id","version")
);

-- CreateTable
CREATE TABLE "labels" (
    "id" SERIAL NOT NULL,
    "vocabulary_id" UUID NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "labels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "label_definitions" (
    "vocabulary_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "label_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "prompts" TEXT[],
    "negative_prompts" TEXT[],
    "example_image_ids" BIGINT[],
    "threshold" DOUBLE PRECISION,
    "parent_ids" INTEGER[],

    CONSTRAINT "label_definitions_pkey" PRIMARY KEY ("vocabulary_id","version","label_id")
);

-- CreateTable
CREATE TABLE "tag_runs" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "collection_id" UUID NOT NULL,
    "vocabulary_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "vision_space_id" UUID NOT NULL,
    "text_model_id" UUID NOT NULL,
    "job_id" UUID,
    "state" "tag_run_state" NOT NULL DEFAULT 'BUILDING',
    "superseded_by" UUID,
    "options" JSONB NOT NULL,
    "image_count" INTEGER NOT NULL DEFAULT 0,
    "tagged_count" INTEGER NOT NULL DEFAULT 0,
    "tag_count" INTEGER NOT NULL DEFAULT 0,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "applied_at" TIMESTAMPTZ(3),
    "reverted_at" TIMESTAMPTZ(3),
    "reverted_by" TEXT,
    "reclaimed_at" TIMESTAMPTZ(3),

    CONSTRAINT "tag_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_labels" (
    "run_id" UUID NOT NULL,
    "label_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "calibration" JSONB NOT NULL,
    "is_calibrated" BOOLEAN NOT NULL,
    "vector_sha256" BYTEA,
    "rates" JSONB NOT NULL DEFAULT '[]',
    "count" INTEGER,
    "strata" JSONB,

    CONSTRAINT "run_labels_pkey" PRIMARY KEY ("run_id","label_id")
);

-- CreateTable
CREATE TABLE "run_ranges" (
    "run_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "counts" JSONB NOT NULL,

    CONSTRAINT "run_ranges_pkey" PRIMARY KEY ("run_id","number")
);

-- CreateTable
CREATE TABLE "run_samples" (
    "run_id" UUID NOT NULL,
    "label_id" INTEGER NOT NULL,
    "image_id" BIGINT NOT NULL,
    "stratum" SMALLINT NOT NULL,
    "score" REAL NOT NULL,
    "probability" REAL NOT NULL,

    CONSTRAINT "run_samples_pkey" PRIMARY KEY ("run_id","label_id","image_id")
);

-- CreateTable
CREATE TABLE "run_tags" (
    "image_id" BIGINT NOT NULL,
    "label_id" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "score" REAL NOT NULL,
    "probability" REAL NOT NULL,
    "is_implied" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "run_tags_pkey" PRIMARY KEY ("image_id","label_id","run_id")
);

-- CreateTable
CREATE TABLE "tag_decisions" (
    "image_id" BIGINT NOT NULL,
    "label_id" INTEGER NOT NULL,
    "verdict" "verdict" NOT NULL,
    "is_manual" BOOLEAN NOT NULL,
    "is_sampled" BOOLEAN NOT NULL DEFAULT false,
    "decided_by" TEXT NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tag_decisions_pkey" PRIMARY KEY ("image_id","label_id")
);

-- CreateTable
CREATE TABLE "imported_tags" (
    "image_id" BIGINT NOT NULL,
    "label_id" INTEGER NOT NULL,
    "imported_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "imported_tags_pkey" PRIMARY KEY ("image_id","label_id")
);

-- CreateTable
CREATE TABLE "label_calibrations" (
    "collection_id" UUID NOT NULL,
    "label_id" INTEGER NOT NULL,
    "text_model_id" UUID NOT NULL,
    "calibration" JSONB NOT NULL,
    "is_calibrated" BOOLEAN NOT NULL,
    "accepted" INTEGER NOT NULL,
    "rejected" INTEGER NOT NULL,
    "fitted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "label_calibrations_pkey" PRIMARY KEY ("collection_id","label_id","text_model_id")
);

-- CreateTable
CREATE TABLE "label_vectors" (
    "text_model_id" UUID NOT NULL,
    "sha256" BYTEA NOT NULL,
    "vector" BYTEA NOT NULL,

    CONSTRAINT "label_vectors_pkey" PRIMARY KEY ("text_model_id","sha256")
);

-- CreateIndex
CREATE UNIQUE INDEX "vocabularies_name_key" ON "vocabularies"("name");

-- CreateIndex
CREATE UNIQUE INDEX "labels_vocabulary_id_name_key" ON "labels"("vocabulary_id", "name");

-- CreateIndex
CREATE INDEX "label_definitions_label_id_idx" ON "label_definitions"("label_id");

-- CreateIndex
CREATE UNIQUE INDEX "tag_runs_job_id_key" ON "tag_runs"("job_id");

-- CreateIndex
CREATE INDEX "tag_runs_collection_id_created_at_idx" ON "tag_runs"("collection_id", "created_at");

-- CreateIndex
CREATE INDEX "tag_runs_vocabulary_id_idx" ON "tag_runs"("vocabulary_id");

-- CreateIndex
CREATE INDEX "run_samples_image_id_idx" ON "run_samples"("image_id");

-- CreateIndex
CREATE INDEX "run_tags_run_id_label_id_idx" ON "run_tags"("run_id", "label_id");

-- CreateIndex
CREATE INDEX "tag_decisions_label_id_idx" ON "tag_decisions"("label_id");

-- CreateIndex
CREATE INDEX "imported_tags_label_id_idx" ON "imported_tags"("label_id");

-- CreateIndex
CREATE INDEX "label_calibrations_label_id_idx" ON "label_calibrations"("label_id");

-- AddForeignKey
ALTER TABLE "vocabulary_versions" ADD CONSTRAINT "vocabulary_versions_vocabulary_id_fkey" FOREIGN KEY ("vocabulary_id") REFERENCES "vocabularies"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "labels" ADD CONSTRAINT "labels_vocabulary_id_fkey" FOREIGN KEY ("vocabulary_id") REFERENCES "vocabularies"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_definitions" ADD CONSTRAINT "label_definitions_label_id_fkey" FOREIGN KEY ("label_id") REFERENCES "labels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_definitions" ADD CONSTRAINT "label_definitions_vocabulary_id_version_fkey" FOREIGN KEY ("vocabulary_id", "version") REFERENCES "vocabulary_versions"("vocabulary_id", "version") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_vocabulary_id_fkey" FOREIGN KEY ("vocabulary_id") REFERENCES "vocabularies"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_vision_space_id_fkey" FOREIGN KEY ("vision_space_id") REFERENCES "vision_spaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_text_model_id_fkey" FOREIGN KEY ("text_model_id") REFERENCES "text_models"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_labels" ADD CONSTRAINT "run_labels_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "tag_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_labels" ADD CONSTRAINT "run_labels_label_id_fkey" FOREIGN KEY ("label_id") REFERENCES "labels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_ranges" ADD CONSTRAINT "run_ranges_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "tag_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_samples" ADD CONSTRAINT "run_samples_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "tag_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_samples" ADD CONSTRAINT "run_samples_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "images"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_decisions" ADD CONSTRAINT "tag_decisions_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "images"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_decisions" ADD CONSTRAINT "tag_decisions_label_id_fkey" FOREIGN KEY ("label_id") REFERENCES "labels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "imported_tags" ADD CONSTRAINT "imported_tags_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "images"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "imported_tags" ADD CONSTRAINT "imported_tags_label_id_fkey" FOREIGN KEY ("label_id") REFERENCES "labels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_calibrations" ADD CONSTRAINT "label_calibrations_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_calibrations" ADD CONSTRAINT "label_calibrations_label_id_fkey" FOREIGN KEY ("label_id") REFERENCES "labels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_calibrations" ADD CONSTRAINT "label_calibrations_text_model_id_fkey" FOREIGN KEY ("text_model_id") REFERENCES "text_models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "label_vectors" ADD CONSTRAINT "label_vectors_text_model_id_fkey" FOREIGN KEY ("text_model_id") REFERENCES "text_models"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- What the Prisma schema language can't say -----------------------------------------------------

ALTER TABLE "label_definitions" ADD CONSTRAINT "label_definitions_threshold" CHECK ("threshold" >= 0 AND "threshold" <= 1);
ALTER TABLE "label_vectors" ALTER COLUMN "vector" SET STORAGE EXTERNAL;
ALTER TABLE "tag_runs" ADD CONSTRAINT "tag_runs_superseded_by_fkey" FOREIGN KEY ("superseded_by") REFERENCES "tag_runs"("id") ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX "tag_runs_superseded_by" ON "tag_runs"("superseded_by") WHERE "superseded_by" IS NOT NULL;

-- run_tags has no foreign keys: a check a row takes longer than the row.
CREATE FUNCTION "delete_run_tags_of_images"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM run_tags t USING gone WHERE t.image_id = gone.id;
  RETURN NULL;
END $$;
CREATE TRIGGER "images_delete_run_tags" AFTER DELETE ON "images"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "delete_run_tags_of_images"();

CREATE FUNCTION "delete_run_tags_of_runs"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM run_tags t USING gone WHERE t.run_id = gone.id;
  RETURN NULL;
END $$;
CREATE TRIGGER "tag_runs_delete_run_tags" AFTER DELETE ON "tag_runs"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "delete_run_tags_of_runs"();

-- The tags that runs show. Of several runs that gave an image a label the newest counts.
CREATE VIEW "shown_run_tags" AS
SELECT t.image_id, t.label_id, t.run_id, t.score, t.probability, t.is_implied,
  r.collection_id, r.text_model_id, r.applied_at, r.created_by
FROM run_tags t JOIN tag_runs r ON r.id = t.run_id
WHERE r.state = 'APPLIED' AND r.superseded_by IS NULL AND NOT EXISTS (
  SELECT FROM run_tags later JOIN tag_runs q ON q.id = later.run_id
  WHERE later.image_id = t.image_id AND later.label_id = t.label_id
    AND q.state = 'APPLIED' AND q.superseded_by IS NULL AND (q.applied_at, q.id) > (r.applied_at, r.id));

-- The tags an image has, each once: what a person said comes before what a run found, and that before what the file brought along.
CREATE VIEW "image_tags" AS
SELECT d.image_id, d.label_id,
  CASE WHEN d.is_manual THEN 'MANUAL' WHEN s.run_id IS NOT NULL THEN 'RUN'
    WHEN EXISTS (SELECT FROM imported_tags m WHERE m.image_id = d.image_id AND m.label_id = d.label_id) THEN 'IMPORTED'
    ELSE 'MANUAL' END AS source,
  s.run_id, s.score, s.probability, 'ACCEPTED' AS state, d.decided_by AS set_by, d.decided_at AS set_at
FROM tag_decisions d LEFT JOIN LATERAL (
  SELECT t.run_id, t.score, t.probability FROM shown_run_tags t
  WHERE t.image_id = d.image_id AND t.label_id = d.label_id) s ON true
WHERE d.verdict = 'ACCEPTED'
UNION ALL
SELECT t.image_id, t.label_id, 'RUN', t.run_id, t.score, t.probability, 'UNREVIEWED', t.created_by, t.applied_at
FROM shown_run_tags t
WHERE NOT EXISTS (SELECT FROM tag_decisions d WHERE d.image_id = t.image_id AND d.label_id = t.label_id)
UNION ALL
SELECT m.image_id, m.label_id, 'IMPORTED', NULL, NULL, NULL, 'UNREVIEWED', 'file', m.imported_at
FROM imported_tags m
WHERE NOT EXISTS (SELECT FROM tag_decisions d WHERE d.image_id = m.image_id AND d.label_id = m.label_id)
  AND NOT EXISTS (SELECT FROM shown_run_tags t WHERE t.image_id = m.image_id AND t.label_id = m.label_id);
