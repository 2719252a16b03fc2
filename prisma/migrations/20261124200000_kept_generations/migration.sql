-- A generation knows the text model its searches go through, so that one row says everything a search needs.
ALTER TABLE "generations" ADD COLUMN "text_model_id" UUID;
ALTER TABLE "generations" ADD COLUMN "job_id" UUID;
ALTER TABLE "generations" ADD COLUMN "retired_at" TIMESTAMPTZ(3);
ALTER TABLE "generations" ADD COLUMN "discarded_at" TIMESTAMPTZ(3);
ALTER TABLE "generations" ADD COLUMN "reclaimed_at" TIMESTAMPTZ(3);

UPDATE "generations" g SET "text_model_id" = c."active_text_model_id"
FROM "collections" c WHERE c."id" = g."collection_id" AND g."state" = 'LIVE';

ALTER TABLE "collections" DROP COLUMN "active_text_model_id";

ALTER TABLE "generations" ADD CONSTRAINT "generations_text_model_id_fkey" FOREIGN KEY ("text_model_id") REFERENCES "text_models"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "generations" ADD CONSTRAINT "generations_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX "generations_job_id_idx" ON "generations"("job_id");

-- What the Prisma schema language can't say -----------------------------------------------------

-- Index entries are kept by (collection, vision space), so two kept generations of one can't share a space.
CREATE UNIQUE INDEX "generations_one_kept_a_space" ON "generations"("collection_id", "vision_space_id") WHERE "discarded_at" IS NULL;
