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

/** Something asked again with every keystroke: only the answer to the latest question counts. */
export interface Question<Args extends unknown[], Answer> {
  readonly answer: Answer | undefined;
  readonly problem: Problem | undefined;
  ask(...args: Args): Promise<void>;
  clear(): void;
}

export function question<Args extends unknown[], Answer>(
  work: (...args: Args) => Promise<Answer>,
): Question<Args, Answer> {
  let answer = $state.raw<Answer | undefined>();
  let problem = $state.raw<Problem | undefined>();
  let asked = 0;
  return {
    get answer() {
      return answer;
    },
    get problem() {
      return problem;
    },
    async ask(...args) {
      const mine = ++asked;
      // The old answer is to another question: nothing may be done with it any more.
      [answer, problem] = [undefined, undefined];
      try {
        const found = await work(...args);
        if (mine === asked) [answer, problem] = [found, undefined];
      } catch (error) {
        if (mine === asked) [answer, problem] = [undefined, problemOf(error)];
      }
    },
    clear() {
      asked += 1;
      [answer, problem] = [undefined, undefined];
    },
  };
}
