import type { AttemptView, MessageView } from '../src/lib/api/types';
import { Refusal, type Routes } from '../test/fakeHost';
import {
  brokenPeer,
  conversation,
  FINGERPRINT,
  GROUPS,
  invite,
  message,
  peer,
  refused,
  status,
  WORDS,
} from '../test/fixtures';

const minutesAgo = (n: number) => new Date(Date.now() - n * 60_000).toISOString();

const failedTry: AttemptView = {
  ordinal: 1,
  route: 'lan',
  via: 'direct',
  address: '[fd00::20]:3100',
  status: 'failed',
  phase: 'connect',
  latencyMs: 2.1,
  code: 'CONNECT_REFUSED',
  problem: refused('[fd00::20]:3100'),
  startedAt: minutesAgo(2),
  timings: { connectMs: 2.1 },
};
const goodTry: AttemptView = {
  ordinal: 2,
  route: 'lan',
  via: 'direct',
  address: '192.168.1.20:3100',
  status: 'success',
  latencyMs: 4.2,
  startedAt: new Date(Date.now() - 119_997).toISOString(),
  timings: { connectMs: 0.6, tlsMs: 1.4, storeMs: 2 },
};

const messages: MessageView[] = [
  message({ seq: 9, messageId: 'm-9', direction: 'in', state: 'new', text: 'Deploy of api is green. Shall I promote it?', createdAt: minutesAgo(1) }),
  message({ seq: 8, messageId: 'm-8', text: 'Build finished, 214 tests passed.', createdAt: minutesAgo(2) }),
  message({ seq: 7, messageId: 'm-7', peer: 'server', state: 'queued', evidence: undefined, text: 'Nightly backup: please start at 02:00', createdAt: minutesAgo(12) }),
  message({ seq: 6, messageId: 'm-6', peer: 'server', state: 'failed', evidence: undefined, problem: refused(), text: 'Are you there?', createdAt: minutesAgo(90) }),
  message({ seq: 5, messageId: 'm-5', state: 'unconfirmed', evidence: 'none', text: 'rm the stale lock in /var/tmp, then retry', createdAt: minutesAgo(60 * 26) }),
  message({ seq: 4, messageId: 'm-4', direction: 'in', state: 'acknowledged', type: 'task', text: undefined, payload: { type: 'task', id: 17 }, createdAt: minutesAgo(60 * 30) }),
  message({ seq: 3, messageId: 'm-3', evidence: 'claimed', text: 'A longer report that runs well past the end of the row so that one can see how it is cut with an ellipsis and never wraps', createdAt: minutesAgo(60 * 24 * 30) }),
];

function base(over: Routes = {}): Routes {
  const peers = [peer(), brokenPeer()];
  const one = Object.fromEntries(
    peers.map((p) => [`GET /control/peers/${p.name}`, () => p]),
  );
  return {
    'GET /control/status': () => status({ counts: { peers: 2, queued: 2, unconfirmed: 1, unread: 1 } }),
    'GET /control/peers': () => peers,
    ...one,
    'GET /control/invites': () => [],
    'GET /control/conversations': () => [
      conversation({ last: messages[0], unread: 1 }),
      conversation({ peer: 'server', online: false, problem: refused(), last: messages[2], queued: 2 }),
    ],
    'GET /control/asks': () => [],
    'GET /control/brakes': () => [],
    'GET /control/messages': (_, query) => ({
      messages: messages.filter(
        (m) =>
          (!query.get('peer') || m.peer === query.get('peer')) &&
          (!query.get('search') || m.text?.toLowerCase().includes(query.get('search')!.toLowerCase())),
      ),
    }),
    'GET /control/messages/m-8': () => ({
      message: messages[1],
      attempts: [failedTry, goodTry],
      receipts: [{ stage: 'stored', at: minutesAgo(2), storeId: 's', signature: 'x' }],
    }),
    'GET /control/messages/m-6': () => ({ message: messages[3], attempts: [failedTry], receipts: [] }),
    'GET /control/messages/m-9': () => ({ message: messages[0], attempts: [], receipts: [] }),
    'POST /control/peers/wsl-box/read': () => undefined,
    'POST /control/peers/wsl-box/ping': () => ({
      peer: 'wsl-box',
      latencyMs: 0.94,
      route: 'lan',
      via: 'direct',
      address: '192.168.1.20:3100',
      clockOffsetMs: 10_920_000,
      attempts: [goodTry],
    }),
    'POST /control/peers/server/ping': () => {
      throw new Refusal(502, { problem: refused(), attempts: [failedTry] });
    },
    'POST /control/send': () => ({ ok: true, messageId: 'm-8', target: 'wsl-box', route: 'lan', status: 'delivered', attempts: [goodTry], timestamp: '' }),
    'POST /control/invites': () => invite(),
    'POST /control/join/preview': (body) => {
      if (!(body as { link: string }).link.startsWith('tieline://')) {
        throw new Refusal(400, {
          code: 'LINK_INVALID',
          summary: 'This is not a Tieline link',
          cause: 'A link starts with tieline://join# and is about 250 characters long.',
          remedy: 'Copy the whole link on the other machine and paste it again.',
        });
      }
      return { name: 'mac-studio', addresses: ['192.168.1.4:3100', '10.0.0.4:3100'], fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS };
    },
    'POST /control/join': () => ({ peer: peer({ name: 'mac-studio' }) }),
    'GET /control/peers/mac-studio': () => peer({ name: 'mac-studio' }),
    ...over,
  };
}

/** What the preview can show; each name is a state of the engine. */
export const scenes: Record<string, () => Routes> = {
  two: () => base(),
  empty: () =>
    base({
      'GET /control/status': () => status({ counts: { peers: 0, queued: 0, unconfirmed: 0, unread: 0 } }),
      'GET /control/peers': () => [],
      'GET /control/conversations': () => [],
      'GET /control/messages': () => ({ messages: [] }),
    }),
  open: () => base({ 'GET /control/invites': () => [invite()] }),
  joined: () => {
    const box = peer({ name: 'wsl-box', state: 'joined', pairedAt: minutesAgo(0.2) });
    return base({
      'GET /control/peers': () => [box],
      'GET /control/peers/wsl-box': () => box,
      'POST /control/invites': () => invite({ state: 'joined', joinedPeer: 'wsl-box' }),
    });
  },
  broken: () =>
    base({
      'GET /control/status': () => {
        throw new Refusal(503, {
          code: 'STORE_DAMAGED',
          summary: 'The message database is damaged',
          cause: 'SQLite found pages that contradict each other in tieline.db, as after a failing disk or a copy made while Tieline ran.',
          remedy: 'The file is kept as tieline.db.damaged-2026-01-02. Restore a backup, or start with an empty database.',
        });
      },
    }),
  slow: () => base(),
};
