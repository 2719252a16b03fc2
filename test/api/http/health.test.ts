import { describe, expect, test } from '@jest/globals';
import { createHealthRouter, type HealthCheck } from '../../../api/http/health.ts';
import { serving } from '../../support/serving.ts';

const lines: unknown[] = [];
const logger = { warn: (line: unknown) => lines.push(line) };

async function start(checks: readonly HealthCheck[], timeoutMs = 1_000): Promise<string> {
  return serving(createHealthRouter({ checks, logger, timeoutMs }));
}

const fine: HealthCheck = { name: 'database', check: () => ({ ok: true, detail: 'answers' }) };
const down: HealthCheck = {
  name: 'index',
  check: () => Promise.resolve({ ok: false, detail: 'loading' }),
};

describe('/healthz', () => {
  test('says the process is alive, whatever the checks say', async () => {
    const response = await fetch(`${await start([down])}/healthz`);

    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ status: 'alive' });
  });
});

describe('/readyz', () => {
  test('is 200 when every check holds, and names them', async () => {
    const response = await fetch(`${await start([fine])}/readyz`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      checks: [{ name: 'database', ok: true, detail: 'answers' }],
    });
  });

  test('is 503 as long as one does not hold', async () => {
    const response = await fetch(`${await start([fine, down])}/readyz`);

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ checks: [{ ok: true }, { ok: false }] });
  });

  test('does not show what a check threw, and logs it', async () => {
    const failing: HealthCheck = {
      name: 'database',
      check: () => Promise.reject(new Error('postgres://root:secret@db')),
    };
    const thrower: HealthCheck = {
      name: 'index',
      check: () => {
        throw new Error('secret');
      },
    };
    lines.length = 0;

    const response = await fetch(`${await start([failing, thrower])}/readyz`);

    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('secret');
    expect(lines).toHaveLength(2);
  });

  test('does not wait for a check that hangs, and does not start it again meanwhile', async () => {
    let runs = 0;
    let finish: () => void = () => undefined;
    const hanging: HealthCheck = {
      name: 'database',
      check: () => {
        runs++;
        return new Promise((resolve) => {
          finish = () => {
            resolve({ ok: true, detail: 'answers' });
          };
        });
      },
    };
    const url = `${await start([hanging], 20)}/readyz`;

    const answers = await Promise.all([fetch(url), fetch(url), fetch(url)]);

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(runs).toBe(1);
    finish();
    const next = fetch(url);
    await next;
    expect(runs).toBe(2);
    finish();
  });

  test('gives up a run that hangs for good, and asks anew', async () => {
    let runs = 0;
    let clock = 0;
    const hangingOnce: HealthCheck = {
      name: 'database',
      check: () => {
        runs++;
        return runs === 1
          ? new Promise(() => undefined)
          : Promise.resolve({ ok: true, detail: 'answers' });
      },
    };
    const url = await serving(
      createHealthRouter({ checks: [hangingOnce], logger, timeoutMs: 20, now: () => clock }),
    );

    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    clock += 199;
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    clock += 1;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});
