-- How a source is kept up with: scanned every so often, watched, or both; by default only when somebody asks.
ALTER TABLE "sources" ADD COLUMN "rescan_every_seconds" INTEGER;
ALTER TABLE "sources" ADD COLUMN "watches" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "sources" ADD COLUMN "settle_seconds" INTEGER NOT NULL DEFAULT 5;
ALTER TABLE "sources" ADD COLUMN "prunes" BOOLEAN NOT NULL DEFAULT false;

-- What the Prisma schema language can't say -----------------------------------------------------

ALTER TABLE "sources" ADD CONSTRAINT "sources_rescan_every_seconds_range" CHECK ("rescan_every_seconds" BETWEEN 60 AND 31536000);
ALTER TABLE "sources" ADD CONSTRAINT "sources_settle_seconds_range" CHECK ("settle_seconds" BETWEEN 0 AND 3600);
