import type { Api } from '../api/client';
import { problemOf } from '../api/problem';
import type { EventHub } from '../api/events';
import type { MessageView, Problem } from '../api/types';
import { Answers } from '../asks';

/** Messages fetched at a time. */
const PAGE = 100;
/** Longest text that a row shows; the whole of it is a click away. */
export const SHOWN_TEXT = 2000;

/**
 * One peer's messages, the oldest first: a stretch of the whole history without gaps, which grows at both ends, page
 * by page. However long the history is, only what was scrolled to is here.
 */
export class History {
  rows = $state.raw<MessageView[]>([]);
  /** There are more before the first row, or after the last. */
  moreOlder = $state(false);
  moreNewer = $state(false);
  /** The last change put rows in front: what is on the screen must not move. */
  grewInFront = $state(false);
  problem = $state.raw<Problem | undefined>();
  loaded = $state(false);
  /** The first message that was new when the history was opened. */
  firstNew = $state<number | undefined>();
  /** Grows with every change of `answers`. */
  answered = $state(0);
  readonly answers = new Answers();

  #turn: Promise<void> = Promise.resolve();
  #waiting = new Map<string, Promise<void>>();
  /** Rows outside the refreshed stretch may be older than the engine's. */
  #stale = false;

  constructor(
    private readonly api: Pick<Api, 'messages' | 'message'>,
    readonly peer: string,
  ) {}

  /** Starts at the newest message, at the oldest one, or around a message. */
  async open(at: 'newest' | 'oldest' | { seq: number } = 'newest'): Promise<void> {
    await this.#inTurn('open', async () => {
      if (at === 'newest') {
        const page = await this.#page({});
        this.#show(page.messages.toReversed(), page.next !== undefined, false);
        this.firstNew ??= this.rows.find(isNew)?.seq;
      } else if (at === 'oldest') {
        const page = await this.#page({ after: 0 });
        this.#show(page.messages, false, page.messages.length > 0);
      } else {
        const [before, after] = await Promise.all([this.#page({ before: at.seq + 1 }), this.#page({ after: at.seq })]);
        const rows = [...before.messages.toReversed(), ...after.messages];
        this.#show(rows, before.next !== undefined, after.messages.length > 0);
      }
      this.loaded = true;
    });
  }

  /** Adds the page before the first row. */
  async older(): Promise<void> {
    await this.#inTurn('older', async () => {
      const first = this.rows[0];
      if (!first || !this.moreOlder) return;
      const page = await this.#page({ before: first.seq });
      this.grewInFront = true;
      this.moreOlder = page.next !== undefined;
      this.#set([...page.messages.toReversed(), ...this.rows], page.messages);
    });
  }

  /** Adds the page after the last row. */
  async newer(): Promise<void> {
    await this.#inTurn('newer', async () => {
      const last = this.rows.at(-1);
      if (!last || !this.moreNewer) return;
      const page = await this.#page({ after: last.seq });
      this.grewInFront = false;
      // A page may be short because its messages are long; only an empty one is the end.
      this.moreNewer = page.messages.length > 0;
      this.#set([...this.rows, ...page.messages], page.messages);
    });
  }

  /** Something changed: what is new is added, and the newest rows are as the engine has them. */
  async refresh(): Promise<void> {
    if (!this.loaded) return this.open();
    this.#stale = true;
    await this.#inTurn('refresh', async () => {
      if (this.moreNewer) return;
      let page = await this.#page({});
      let fresh = page.messages.toReversed();
      const last = this.rows.at(-1)?.seq ?? 0;
      // More arrived at once than a page holds: fill the gap, so that there never is one.
      while (page.next !== undefined && (fresh[0]?.seq ?? 0) > last + 1 && this.rows.length > 0) {
        page = await this.#page({ before: fresh[0]?.seq });
        fresh = [...page.messages.toReversed(), ...fresh];
        if (fresh.length > 10 * PAGE) return this.#show(fresh, true, false);
      }
      this.grewInFront = false;
      this.#merge(fresh);
    });
  }

  /** Fetches rows that are on the screen again, if anything changed since they were fetched. */
  async recheck(lastOnScreen: number): Promise<void> {
    const row = this.rows[lastOnScreen];
    const isNewest = lastOnScreen >= this.rows.length - PAGE && !this.moreNewer;
    if (!this.#stale || !row || isNewest) return;
    await this.#inTurn('recheck', async () => {
      const page = await this.#page({ before: row.seq + 1 });
      this.grewInFront = false;
      this.#merge(page.messages.toReversed());
    });
  }

  /** Keeps the history current until the returned function is called. */
  follow(hub: EventHub): () => void {
    return hub.on(['messages'], () => void this.refresh());
  }

  async #page(cursor: { before?: number; after?: number }) {
    const page = await this.api.messages({ peer: this.peer, limit: PAGE, ...cursor });
    return { next: page.next ?? undefined, messages: page.messages.map(light) };
  }

  #show(rows: MessageView[], moreOlder: boolean, moreNewer: boolean): void {
    this.grewInFront = false;
    this.moreOlder = moreOlder;
    this.moreNewer = moreNewer;
    this.#set(rows, rows);
  }

  #set(rows: MessageView[], added: MessageView[]): void {
    this.rows = rows;
    if (this.answers.add(added)) this.answered += 1;
  }

  /** Replaces rows by newer versions of themselves and appends what is new; both in order. */
  #merge(fresh: MessageView[]): void {
    const bySeq = new Map(fresh.map((message) => [message.seq, message]));
    const last = this.rows.at(-1)?.seq ?? 0;
    const kept = this.rows.map((row) => bySeq.get(row.seq) ?? row);
    this.#set([...kept, ...fresh.filter((message) => message.seq > last)], fresh);
  }

  /** One fetch after the other, so that each continues where the last one ended; of a kind, one waits at most. */
  #inTurn(kind: string, work: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(kind);
    if (waiting) return waiting;
    const turn = this.#turn.then(async () => {
      this.#waiting.delete(kind);
      try {
        await work();
        this.problem = undefined;
      } catch (error) {
        this.problem = problemOf(error);
      }
    });
    this.#waiting.set(kind, turn);
    this.#turn = turn;
    return turn;
  }
}

function isNew(message: MessageView): boolean {
  return message.direction === 'in' && message.state === 'new';
}

/** A row without what it does not show: tens of thousands of them stay cheap. */
function light(message: MessageView): MessageView {
  if (message.text === undefined || message.type.startsWith('tieline.')) return message;
  return { ...message, text: message.text.slice(0, SHOWN_TEXT + 1), payload: { type: message.type } };
}
