import type { RawAnswer } from './host';

const KEY = 'tieline-bearer';
const CODE = /^#code=(.*)$/;

/**
 * What lets this page use the control API: a bearer that it got for the code in the link that opened it. It is kept
 * for this tab only, and survives a reload.
 */
export interface Session {
  /** Settles once the code, if there was one, was exchanged. */
  readonly ready: Promise<void>;
  /** Goes with every request. */
  headers(): Record<string, string>;
  /** What the engine said to a code that opened nothing. */
  readonly refusal: RawAnswer | undefined;
}

export function openSession(base: string, place: Location = location, storage: Storage = sessionStorage): Session {
  let refusal: RawAnswer | undefined;

  async function exchange(code: string): Promise<void> {
    const answer = await fetch(`${base}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    const body = new Uint8Array(await answer.arrayBuffer());
    if (answer.ok) {
      const { bearer } = JSON.parse(new TextDecoder().decode(body)) as { bearer: string };
      storage.setItem(KEY, bearer);
    } else if (storage.getItem(KEY) === null) {
      // A page that is open already needs no code.
      refusal = { status: answer.status, body };
    }
  }

  const code = takeCode(place);
  // A link pasted into the tab of an open page changes only the fragment.
  addEventListener('hashchange', () => {
    if (CODE.test(place.hash)) place.reload();
  });
  return {
    // Where nothing answered, the first request fails the same way and says so.
    ready: code === undefined ? Promise.resolve() : exchange(code).catch(() => undefined),
    headers(): Record<string, string> {
      const bearer = storage.getItem(KEY);
      return bearer === null ? {} : { authorization: `Bearer ${bearer}` };
    },
    get refusal() {
      return refusal;
    },
  };
}

/** The code in the address, which leaves the address and the history at once. */
function takeCode(place: Location): string | undefined {
  const code = CODE.exec(place.hash)?.[1];
  if (code !== undefined) history.replaceState(null, '', place.pathname);
  return code;
}
