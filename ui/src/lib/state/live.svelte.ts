import { untrack } from 'svelte';
import { problemOf } from '../api/problem';
import type { EventHub } from '../api/events';
import type { EngineEvent, EventKind, Problem } from '../api/types';

/** Data from the engine that keeps itself current. */
export interface Live<T> {
  /** The latest answer; stays while a newer one is fetched or if fetching it fails. */
  readonly data: T | undefined;
  /** Why the last fetch failed. */
  readonly problem: Problem | undefined;
  /** Nothing has come back yet. */
  readonly loading: boolean;
  refresh(): Promise<void>;
}

/**
 * Fetches now, again when an event of one of `kinds` arrives, and again when something reactive that `fetch` read
 * changes. Call it while a component is set up; it ends with the component.
 */
export function live<T>(
  hub: EventHub,
  kinds: readonly EventKind[],
  fetch: () => Promise<T>,
  concerns: (event: EngineEvent) => boolean = () => true,
): Live<T> {
  let data = $state.raw<T | undefined>();
  let problem = $state.raw<Problem | undefined>();
  /** Answers that arrive after a newer question was asked are dropped. */
  let asked = 0;
  let running = false;
  let again = false;

  async function load(first: Promise<T>): Promise<void> {
    const mine = ++asked;
    try {
      const answer = await first;
      if (mine !== asked) return;
      data = answer;
      problem = undefined;
    } catch (error) {
      if (mine === asked) problem = problemOf(error);
    }
  }

  /** Events that arrive during a fetch lead to one more fetch, not to one each. */
  async function refresh(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await load(untrack(fetch));
    } while (again);
    running = false;
  }

  $effect(() => {
    const first = fetch();
    untrack(() => void load(first));
  });
  $effect(() => hub.on(kinds, (event) => event.kind === 'resync' || concerns(event) ? void refresh() : undefined));

  return {
    get data() {
      return data;
    },
    get problem() {
      return problem;
    },
    get loading() {
      return data === undefined && problem === undefined;
    },
    refresh,
  };
}
