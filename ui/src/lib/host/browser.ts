import type { EngineEvent } from '../api/types';
import type { Host } from './host';

/** A browser on this machine, talking to `tieline serve --ui` with a bearer token. */
export function browserHost(base: string, token: () => string | null): Host {
  const headers = (): Record<string, string> => {
    const bearer = token();
    return bearer ? { authorization: `Bearer ${bearer}` } : {};
  };

  return {
    kind: 'browser',
    async request(method, path, body) {
      const answer = await fetch(base + path, {
        method,
        headers: body ? { ...headers(), 'content-type': 'application/json' } : headers(),
        body: body as BodyInit | undefined,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      });
      return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
    },
    events(after, deliver) {
      const abort = new AbortController();
      // EventSource cannot send the bearer, so the stream is read by hand.
      void (async () => {
        try {
          const query = after === undefined ? '' : `?after=${after}`;
          const answer = await fetch(`${base}/control/events${query}`, {
            headers: { ...headers(), accept: 'text/event-stream' },
            cache: 'no-store',
            credentials: 'omit',
            signal: abort.signal,
          });
          if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
          for await (const data of sseData(answer.body)) {
            deliver({ type: 'event', event: JSON.parse(data) as EngineEvent });
          }
        } catch {
          // Reported below: an ended stream and a failed one mean the same here.
        }
        if (!abort.signal.aborted) deliver({ type: 'lost' });
      })();
      return () => abort.abort();
    },
    copy: (text) => navigator.clipboard.writeText(text),
    paste: () => navigator.clipboard.readText(),
    facts: async () => ({ tray: false }),
  };
}

/** The `data` of every server-sent event in a stream of bytes. */
export async function* sseData(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).replace(/^ /, ''));
        if (data.length > 0) yield data.join('\n');
      }
    }
  } finally {
    reader.releaseLock();
  }
}
