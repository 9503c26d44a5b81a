import type { Problem } from './types';

/** A request that the engine refused or could not carry out, with the engine's own explanation. */
export class ApiProblem extends Error {
  constructor(
    readonly problem: Problem,
    readonly status: number,
    /** What the answer carried beside the problem, such as the attempts of a failed send. */
    readonly body: unknown = undefined,
  ) {
    super(problem.summary);
    this.name = 'ApiProblem';
  }
}

/** The problem inside anything a call can throw. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  return unreachable(error instanceof Error ? error.message : String(error));
}

/**
 * The engine did not answer at all, so it has no words for it: the one explanation the UI writes itself.
 */
export function unreachable(reason: string): Problem {
  return {
    code: 'NOT_RUNNING',
    summary: 'Tieline is not answering',
    cause: reason || 'The engine behind this window has stopped.',
    remedy: 'Quit Tieline and start it again. Messages that were accepted are kept.',
  };
}

/** Reads a problem from an answer: the control API's own form, or the documented form of `/api/a2a/send`. */
export function problemFrom(body: unknown, status: number): Problem {
  if (isRecord(body)) {
    if (isRecord(body.problem)) return problemFrom(body.problem, status);
    if (typeof body.code === 'string') {
      return {
        code: body.code,
        summary: text(body.summary) ?? text(body.error) ?? body.code,
        cause: text(body.cause) ?? '',
        remedy: text(body.remedy) ?? '',
        phase: body.phase as Problem['phase'],
        detail: isRecord(body.detail) ? body.detail : undefined,
      };
    }
  }
  return unreachable(`The answer had status ${status} and no explanation.`);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
