import type { ReactNode } from 'react';
import { SelectField } from '../components/select-field.tsx';
import { navigate } from '../history.ts';
import { JOB_STATES, jobsHref, type JobFilter } from '../location.ts';
import type { CollectionSummary } from '../pages/start-page.tsx';
import { STATE_NAMES } from './job-words.ts';

/** Chooses which jobs are listed; the address changes with it. */
export function JobFilterForm({
  collections,
  filter,
}: {
  readonly collections: readonly CollectionSummary[];
  readonly filter: JobFilter;
}): ReactNode {
  return (
    <div className="filter-row">
      <SelectField
        label="Collection"
        value={filter.collection ?? ''}
        options={[['', 'All'], ...collections.map(({ name }) => [name, name] as const)]}
        onChange={(name) => {
          navigate(jobsHref({ ...filter, collection: name === '' ? null : name }));
        }}
      />
      <SelectField
        label="State"
        value={filter.state ?? ''}
        options={[['', 'Any'], ...JOB_STATES.map((state) => [state, STATE_NAMES[state]] as const)]}
        onChange={(value) => {
          const state = JOB_STATES.find((known) => known === value) ?? null;
          navigate(jobsHref({ ...filter, state }));
        }}
      />
    </div>
  );
}
