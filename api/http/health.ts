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
}

interface NamedResult extends CheckResult {
  readonly name: string;
}

const TIMEOUT_MS = 1_000;

/** `GET /healthz`: the process answers. `GET /readyz`: it can do its work; 503 until every check holds. */
export function createHealthRouter({
  checks,
  logger,
  timeoutMs = TIMEOUT_MS,
}: HealthRouterOptions): Router {
  const running = checks.map((check) => new RunningCheck(check, logger, timeoutMs));
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

/** One check, which runs once at a time: probes that come while it hangs wait for the same run. */
class RunningCheck {
  readonly #check: HealthCheck;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #timeoutMs: number;
  #run: Promise<NamedResult> | null = null;

  constructor(check: HealthCheck, logger: Pick<Logger, 'warn'>, timeoutMs: number) {
    this.#check = check;
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
  }

  async result(): Promise<NamedResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<NamedResult>((resolve) => {
      const detail = `No answer within ${this.#timeoutMs} ms.`;
      timer = setTimeout(resolve, this.#timeoutMs, { name: this.#check.name, ok: false, detail });
    });
    this.#run ??= this.#start();
    try {
      return await Promise.race([this.#run, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #start(): Promise<NamedResult> {
    const { name, check } = this.#check;
    try {
      const { ok, detail } = await check();
      return { name, ok, detail };
    } catch (error) {
      this.#logger.warn({ err: error, check: name }, 'A health check failed');
      return { name, ok: false, detail: 'The check failed; the log says why.' };
    } finally {
      this.#run = null;
    }
  }
}
