import { useState, type ReactNode } from 'react';
import type { DraftLabel } from './vocabulary-draft.ts';
import './label-table.css';

const PAGE_SIZE = 100;

/** The labels that contain what is searched for, a hundred at a time. `children` is shown below the label that is chosen. */
export function LabelTable({
  labels,
  chosen,
  onChoose,
  children,
}: {
  readonly labels: readonly DraftLabel[];
  /** Key of the label. */
  readonly chosen: string | null;
  /** Null: only to be looked at. */
  readonly onChoose: ((key: string | null) => void) | null;
  readonly children: ReactNode;
}): ReactNode {
  const [search, setSearch] = useState('');
  const [page, setPage] = useState(0);
  const wanted = search.trim().toLowerCase();
  const found = labels.filter(({ name, key }) => {
    return key === chosen || name.toLowerCase().includes(wanted);
  });
  const last = Math.max(0, Math.ceil(found.length / PAGE_SIZE) - 1);
  const current = Math.min(page, last);
  const shown = found.slice(current * PAGE_SIZE, (current + 1) * PAGE_SIZE);
  return (
    <>
      <div className="label-table-head">
        <input
          type="search"
          className="field"
          value={search}
          placeholder="Find a label"
          aria-label="Find a label"
          onChange={(event) => {
            setSearch(event.target.value);
            setPage(0);
          }}
        />
        <p className="panel-note" role="status">
          {wanted === ''
            ? `${labels.length.toLocaleString('en-GB')} labels`
            : `${found.length.toLocaleString('en-GB')} of ${labels.length.toLocaleString('en-GB')} labels`}
        </p>
        {last === 0 ? null : <Pager current={current} last={last} onPage={setPage} />}
      </div>
      <table className="label-table">
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">Prompts</th>
            <th scope="col">Not</th>
            <th scope="col">Examples</th>
            <th scope="col">Threshold</th>
            <th scope="col">Below</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((label) => (
            <LabelRows
              key={label.key}
              label={label}
              isChosen={label.key === chosen}
              onChoose={onChoose}
            >
              {children}
            </LabelRows>
          ))}
        </tbody>
      </table>
    </>
  );
}

function LabelRows({
  label,
  isChosen,
  onChoose,
  children,
}: {
  readonly label: DraftLabel;
  readonly isChosen: boolean;
  readonly onChoose: ((key: string | null) => void) | null;
  readonly children: ReactNode;
}): ReactNode {
  const { key, name, prompts, negativePrompts, examples, threshold, parents } = label;
  return (
    <>
      <tr className="label-table-row" data-chosen={isChosen}>
        <th scope="row">
          {onChoose === null ? (
            name
          ) : (
            <button
              type="button"
              className="text-button"
              aria-expanded={isChosen}
              onClick={() => {
                onChoose(isChosen ? null : key);
              }}
            >
              {name === '' ? '(no name)' : name}
            </button>
          )}
        </th>
        <Cell name="Prompts" title={prompts.join('\n')} value={number(prompts.length)} />
        <Cell
          name="Not"
          title={negativePrompts.join('\n')}
          value={number(negativePrompts.length)}
        />
        <Cell name="Examples" value={number(examples.length)} />
        <Cell name="Threshold" value={threshold === null ? '' : threshold.toFixed(2)} />
        <Cell name="Below" value={parents.join(', ')} />
      </tr>
      {isChosen ? (
        <tr>
          <td colSpan={6} className="label-table-form">
            {children}
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** Narrow windows show the name, and nothing where there is no value. */
function Cell({
  name,
  value,
  title,
}: {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
}): ReactNode {
  return (
    <td data-name={name} data-empty={value === ''} title={title}>
      {value}
    </td>
  );
}

function number(count: number): string {
  return count === 0 ? '' : String(count);
}

function Pager({
  current,
  last,
  onPage,
}: {
  readonly current: number;
  readonly last: number;
  readonly onPage: (page: number) => void;
}): ReactNode {
  return (
    <div className="label-table-pager">
      <button
        type="button"
        className="button"
        aria-disabled={current === 0}
        onClick={() => {
          onPage(Math.max(0, current - 1));
        }}
      >
        Previous
      </button>
      <span className="panel-note">
        Page {current + 1} of {last + 1}
      </span>
      <button
        type="button"
        className="button"
        aria-disabled={current === last}
        onClick={() => {
          onPage(Math.min(last, current + 1));
        }}
      >
        Next
      </button>
    </div>
  );
}
