import type { Host } from '../host/host';
import type { EngineEvent, EventKind } from './types';

type Listener = (event: EngineEvent) => void;

/**
 * One stream of events for the whole page, shared by everything that shows live data.
 *
 * It resumes after the last event it saw. A stream that broke is opened again with growing pauses, and
 * everybody is told to fetch again then, because events may have been missed.
 */
export class EventHub {
  /** Called when the host asks for another page. */
  onGo: (path: string) => void = () => {};

  #listeners = new Set<{ kinds: ReadonlySet<EventKind>; listener: Listener }>();
  #lastSeq: number | undefined;
  #close: (() => void) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause = FIRST_PAUSE_MS;

  constructor(private readonly host: Pick<Host, 'events'>) {}

  /** Calls `listener` for events of these kinds and for every `resync`, until the returned function is called. */
  on(kinds: readonly EventKind[], listener: Listener): () => void {
    const entry = { kinds: new Set(kinds), listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  start(): void {
    this.#close?.();
    this.#close = this.host.events(this.#lastSeq, (signal) => {
      if (signal.type === 'go') return this.onGo(signal.path);
      if (signal.type === 'lost') return this.#reopen();
      if (signal.type === 'ended') return this.#end();
      this.#pause = FIRST_PAUSE_MS;
      if (signal.type === 'open') return this.#resync();
      this.#lastSeq = signal.event.seq;
      this.#deliver(signal.event);
    });
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#close?.();
    this.#close = undefined;
  }

  #reopen(): void {
    this.#close?.();
    this.#close = undefined;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.start();
      this.#resync();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  /** What is fetched again finds out by itself that this page may not. */
  #end(): void {
    this.stop();
    this.#resync();
  }

  /** Something may have changed unseen, also between the first fetch and the stream's opening. */
  #resync(): void {
    this.#deliver({ seq: this.#lastSeq ?? 0, kind: 'resync', ids: [] });
  }

  #deliver(event: EngineEvent): void {
    for (const { kinds, listener } of [...this.#listeners]) {
      if (event.kind === 'resync' || kinds.has(event.kind)) listener(event);
    }
  }
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
