-- What tells at start whether a vocabulary that comes with the program is another one now.
ALTER TABLE "vocabulary_versions" ADD COLUMN "file_sha256" BYTEA;

-- Deleting a vocabulary is over at once, however many tags its runs gave: their rows go in the background.

-- A label that goes looks for its rows.
CREATE INDEX "run_labels_label_id_idx" ON "run_labels"("label_id");

-- Rows of runs that are gone show nowhere; workers delete them, a batch at a time (store/orphaned-tags.ts).
DROP TRIGGER "tag_runs_delete_run_tags" ON "tag_runs";
DROP FUNCTION "delete_run_tags_of_runs"();
