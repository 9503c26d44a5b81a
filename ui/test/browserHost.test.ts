import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../src/lib/api/client';
import { browserHost } from '../src/lib/host/browser';
import type { HostSignal } from '../src/lib/host/host';
import { openSession } from '../src/lib/host/session';

const BASE = 'http://127.0.0.1:3849';

/** What an engine with one open link answers. */
class Engine {
  readonly asked: { path: string; init: RequestInit }[] = [];
  code: string | undefined = 'right';
  bearer = 'bearer-1';
  stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const path = url.slice(BASE.length);
    this.asked.push({ path, init });
    if (path === '/session') {
      const { code } = JSON.parse(init.body as string) as { code: string };
      if (code !== this.code) return refusal('PAGE_CODE_INVALID');
      this.code = undefined;
      return Response.json({ bearer: this.bearer });
    }
    const headers = init.headers as Record<string, string>;
    if (headers.authorization !== `Bearer ${this.bearer}`) return refusal('PAGE_SESSION_ENDED');
    if (path.startsWith('/control/events')) {
      return new Response(new ReadableStream({ start: (stream) => void (this.stream = stream) }));
    }
    return Response.json({ name: 'mac' });
  };

  say(text: string) {
    this.stream?.enqueue(new TextEncoder().encode(text));
  }
}

const refusal = (code: string) =>
  Response.json({ code, summary: `${code}.`, cause: 'Because.', remedy: 'Do this.' }, { status: 401 });

describe('the host in a browser', () => {
  let engine: Engine;

  beforeEach(() => {
    engine = new Engine();
    vi.stubGlobal('fetch', engine.fetch);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    sessionStorage.clear();
    location.hash = '';
  });

  function open(hash = '') {
    history.replaceState(null, '', `/${hash}`);
    return browserHost(BASE, openSession(BASE));
  }

  it('exchanges the code of the link once and takes it out of the address at once', async () => {
    const host = open('#code=right');
    expect(location.href).not.toContain('right');
    expect((await host.request('GET', '/control/status')).status).toBe(200);
    expect(engine.asked.map(({ path }) => path)).toEqual(['/session', '/control/status']);
    expect(engine.asked.every(({ path, init }) => !path.includes('right') && init.credentials === 'omit')).toBe(true);
  });

  it('goes on after a reload, for this tab', async () => {
    await open('#code=right').request('GET', '/control/status');
    expect((await open().request('GET', '/control/status')).status).toBe(200);
    expect(engine.asked.filter(({ path }) => path === '/session')).toHaveLength(1);
  });

  it('says what the engine says to a code that opens nothing, and asks nothing more', async () => {
    const told: string[] = [];
    const api = createApi(open('#code=old'), (problem) => told.push(problem.code));
    await expect(api.status()).rejects.toThrow('PAGE_CODE_INVALID.');
    await expect(api.peers()).rejects.toThrow('PAGE_CODE_INVALID.');
    expect(told).toEqual(['PAGE_CODE_INVALID', 'PAGE_CODE_INVALID']);
    expect(engine.asked).toHaveLength(1);
  });

  it('stays open when a used link is opened once more in its tab', async () => {
    await open('#code=right').request('GET', '/control/status');
    expect((await open('#code=right').request('GET', '/control/status')).status).toBe(200);
  });

  it('declares JSON also where it sends nothing', async () => {
    await open('#code=right').request('POST', '/control/peers/box/ping');
    expect(engine.asked.at(-1)?.init.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  it('reads events as they come, however they are cut', async () => {
    const signals: HostSignal[] = [];
    const close = open('#code=right').events(7, (signal) => signals.push(signal));
    await vi.waitFor(() => expect(signals).toEqual([{ type: 'open' }]));
    expect(engine.asked.at(-1)?.path).toBe('/control/events?after=7');
    engine.say(': keep-alive\n\nid: 8\ndata: {"seq":8,"ki');
    engine.say('nd":"peers","ids":[]}\n\n');
    await vi.waitFor(() =>
      expect(signals.at(-1)).toEqual({ type: 'event', event: { seq: 8, kind: 'peers', ids: [] } }),
    );
    engine.stream?.close();
    await vi.waitFor(() => expect(signals.at(-1)).toEqual({ type: 'lost' }));
    close();
  });

  it('opens no further stream when the engine lets it in no more', async () => {
    const signals: HostSignal[] = [];
    open().events(undefined, (signal) => signals.push(signal));
    await vi.waitFor(() => expect(signals).toEqual([{ type: 'ended' }]));
  });
});
