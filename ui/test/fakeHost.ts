import type { EngineEvent } from '../src/lib/api/types';
import type { Host, HostSignal } from '../src/lib/host/host';

/** Answers one route. The key is `METHOD /path`; without a query, any query matches. */
export type Routes = Record<string, (body: unknown, query: URLSearchParams) => unknown>;

/** Thrown by a route to answer with a status other than 200. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {}
}

/** A host whose engine is a table of functions. Records what was asked and copied. */
export class FakeHost implements Host {
  readonly kind = 'app' as const;
  readonly asked: { method: string; path: string; body: unknown }[] = [];
  readonly copied: { text: string; secret: boolean }[] = [];
  clipboard = '';
  tray = true;
  restarts = 0;
  quits = 0;
  opened: (number | undefined)[] = [];
  delayMs = 0;

  #deliver: ((signal: HostSignal) => void) | undefined;
  #seq = 0;

  constructor(public routes: Routes) {}

  async request(method: string, path: string, body?: Uint8Array) {
    const parsed = body ? JSON.parse(new TextDecoder().decode(body)) : undefined;
    this.asked.push({ method, path, body: parsed });
    if (this.delayMs > 0) await new Promise((done) => setTimeout(done, this.delayMs));
    const [bare = '', query = ''] = path.split('?');
    const route = this.routes[`${method} ${bare}`];
    try {
      if (!route) throw new Refusal(404, { code: 'NOT_FOUND', summary: `No route ${bare}`, cause: '', remedy: '' });
      const answer = await route(parsed, new URLSearchParams(query));
      return { status: 200, body: encode(answer) };
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: encode(error.body) };
      throw error;
    }
  }

  events(after: number | undefined, deliver: (signal: HostSignal) => void) {
    this.opened.push(after);
    this.#deliver = deliver;
    return () => {
      if (this.#deliver === deliver) this.#deliver = undefined;
    };
  }

  emit(kind: EngineEvent['kind'], ids: string[] = []) {
    this.#deliver?.({ type: 'event', event: { seq: ++this.#seq, kind, ids } });
  }

  signal(signal: HostSignal) {
    this.#deliver?.(signal);
  }

  async copy(text: string, options?: { secret?: boolean }) {
    this.copied.push({ text, secret: options?.secret ?? false });
  }

  async paste() {
    return this.clipboard;
  }

  async facts() {
    return { tray: this.tray };
  }

  async restart() {
    this.restarts += 1;
  }

  async quit() {
    this.quits += 1;
  }
}

function encode(value: unknown): Uint8Array {
  return value === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(value));
}
