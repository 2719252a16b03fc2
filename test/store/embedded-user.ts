import { EmbeddedPostgres } from '../../store/embedded-postgres.ts';

/** Uses the data folder's server until stdin ends: says `ready URL`, then `left`. Run by embedded-postgres.test.ts. */
const postgres = await EmbeddedPostgres.open({ dataFolder: process.argv[2] ?? '' });
console.log(`ready ${postgres.url('postgres')}`);
process.stdin.resume().on('end', () => {
  void postgres.close().then(() => {
    console.log('left');
  });
});
