import type { EngineEvent } from '../api/types';
import type { Host } from './host';
import type { Session } from './session';

/** A browser on this machine, talking to `tieline serve --ui` with the bearer of its session. */
export function browserHost(base: string, session: Session): Host {
  return {
    kind: 'browser',
    async request(method, path, body) {
      await session.ready;
      if (session.refusal) return session.refusal;
      // The engine takes a body as JSON only, also where it is empty.
      const typed: Record<string, string> = method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' };
      const answer = await fetch(base + path, {
        method,
        headers: { ...session.headers(), ...typed },
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
        let ended = false;
        try {
          await session.ready;
          const query = after === undefined ? '' : `?after=${after}`;
          const answer = await fetch(`${base}/control/events${query}`, {
            headers: { ...session.headers(), accept: 'text/event-stream' },
            cache: 'no-store',
            credentials: 'omit',
            redirect: 'error',
            signal: abort.signal,
          });
          ended = answer.status === 401;
          if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
          deliver({ type: 'open' });
          for await (const data of sseData(answer.body)) {
            deliver({ type: 'event', event: JSON.parse(data) as EngineEvent });
          }
        } catch {
          // Reported below: an ended stream and a failed one mean the same here.
        }
        if (!abort.signal.aborted) deliver({ type: ended ? 'ended' : 'lost' });
      })();
      return () => abort.abort();
    },
    copy: (text) => navigator.clipboard.writeText(text),
    paste: () => navigator.clipboard.readText(),
    async save(fileName, text) {
      const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
      const link = Object.assign(document.createElement('a'), { href: url, download: fileName });
      link.click();
      // The download has begun by the next turn; until then the address must be valid.
      setTimeout(() => URL.revokeObjectURL(url));
    },
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
