import { Router } from 'express';
import type { Logger } from '../../platform/logger.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** For an operator; anyone may read it, so no addresses, paths or secrets. */
  readonly detail: string;
}

export interface HealthCheck {
  readonly name: string;
  /** May throw: then what it threw is logged and not shown. */
  readonly check: () => Promise<CheckResult> | CheckResult;
}

export interface HealthRouterOptions {
  readonly checks: readonly HealthCheck[];
  readonly logger: Pick<Logger, 'warn'>;
  /** For each check. Probes usually wait a second or more. */
  readonly timeoutMs?: number;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

interface NamedResult extends CheckResult {
  readonly name: string;
}

const TIMEOUT_MS = 1_000;

/** After this many time-outs a run that still hangs is given up, and the check asked anew. */
const TIMEOUTS_TO_GIVE_UP = 10;

/** `GET /healthz`: the process answers. `GET /readyz`: it can do its work; 503 until every check holds. */
export function createHealthRouter({
  checks,
  logger,
  timeoutMs = TIMEOUT_MS,
  now = () => performance.now(),
}: HealthRouterOptions): Router {
  const running = checks.map((check) => new RunningCheck({ check, logger, timeoutMs, now }));
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const results = await Promise.all(running.map((check) => check.result()));
    const isReady = results.every(({ ok }) => ok);
    response
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: isReady ? 'ready' : 'not ready', checks: results });
  });
  return router;
}

interface RunningCheckOptions {
  readonly check: HealthCheck;
  readonly logger: Pick<Logger, 'warn'>;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** One check, which runs once at a time: probes that come while it hangs wait for the same run. */
class RunningCheck {
  readonly #options: RunningCheckOptions;
  #run: { readonly startedMs: number; readonly result: Promise<NamedResult> } | null = null;

  constructor(options: RunningCheckOptions) {
    this.#options = options;
  }

  async result(): Promise<NamedResult> {
    const { check, timeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<NamedResult>((resolve) => {
      const detail = `No answer within ${timeoutMs} ms.`;
      timer = setTimeout(resolve, timeoutMs, { name: check.name, ok: false, detail });
    });
    try {
      return await Promise.race([this.#current(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #current(): Promise<NamedResult> {
    const { timeoutMs, now } = this.#options;
    const oldestMs = now() - TIMEOUTS_TO_GIVE_UP * timeoutMs;
    if (this.#run !== null && this.#run.startedMs > oldestMs) return this.#run.result;
    const run = { startedMs: now(), result: this.#start() };
    this.#run = run;
    void run.result.then(() => {
      if (this.#run === run) this.#run = null;
    });
    return run.result;
  }

  /** Never rejects. */
  async #start(): Promise<NamedResult> {
    const { check, logger } = this.#options;
    const { name } = check;
    try {
      const { ok, detail } = await check.check();
      return { name, ok, detail };
    } catch (error) {
      logger.warn({ err: error, check: name }, 'A health check failed');
      return { name, ok: false, detail: 'The check failed; the log says why.' };
    }
  }
}
