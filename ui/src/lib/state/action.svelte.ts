import { problemOf } from '../api/problem';
import type { Problem } from '../api/types';

/** Something a button does: at most once at a time, with its failure kept to be shown beside the button. */
export interface Action<Args extends unknown[]> {
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  run(...args: Args): Promise<void>;
  clear(): void;
}

export function action<Args extends unknown[]>(work: (...args: Args) => Promise<void>): Action<Args> {
  let busy = $state(false);
  let problem = $state.raw<Problem | undefined>();
  return {
    get busy() {
      return busy;
    },
    get problem() {
      return problem;
    },
    async run(...args) {
      if (busy) return;
      busy = true;
      problem = undefined;
      try {
        await work(...args);
      } catch (error) {
        problem = problemOf(error);
      } finally {
        busy = false;
      }
    },
    clear() {
      problem = undefined;
    },
  };
}
