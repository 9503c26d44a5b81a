/** Views as the engine answers them, for tests and the preview. Every value here is made up. */
import type { ConversationView, InviteView, MessageView, NodeStatus, PeerView, Problem } from '../src/lib/api/types';

export const WORDS = (
  'copper meadow lantern orbit velvet harbor ticket walnut ribbon summit piano ginger ' +
  'anchor cotton mirror saddle throne puzzle bamboo quarter silent forest maple window'
).split(' ');

export const GROUPS = '9F3A 11C4 07D2 E8B0 42AA 5C19 D00F 7B61 A3E4 90CC 1D58 F27E 6604 BB13 C8D9 2E70'.split(' ');

export const FINGERPRINT = `SHA256:${GROUPS.join('')
  .match(/../g)
  ?.join(':')}`;

export function refused(address = '192.168.1.20:3100'): Problem {
  return {
    code: 'CONNECT_REFUSED',
    summary: `${address} refused the connection`,
    cause: 'Nothing listens on that port there. Tieline is probably not running on that machine.',
    remedy: 'Start Tieline there, or check the port it listens on.',
    phase: 'connect',
  };
}

export function status(over: Partial<NodeStatus> = {}): NodeStatus {
  return {
    name: 'mac',
    home: '/home/user/.local/share/tieline',
    version: '0.1.0',
    pid: 4711,
    host: 'app',
    platform: 'linux',
    uptimeMs: 60_000,
    startedAt: '2026-01-01T10:00:00.000Z',
    peerAddr: '0.0.0.0:3100',
    apiAddr: '127.0.0.1:3847',
    vault: { kind: 'keychain', description: 'Secret Service' },
    keyId: 'bXkta2V5LWlk',
    pin: 'bXktcGlu',
    fingerprint: FINGERPRINT,
    fingerprintGroups: GROUPS,
    words: WORDS,
    storeId: 'c3RvcmU',
    counts: { peers: 1, queued: 0, unconfirmed: 0, unread: 0 },
    welcomed: true,
    problems: [],
    ...over,
  };
}

export function peer(over: Partial<PeerView> = {}): PeerView {
  const now = new Date().toISOString();
  return {
    name: 'wsl-box',
    suggestedName: 'wsl-box',
    dialect: 'tieline',
    badge: 'Tieline',
    assurance: 'Encrypted.',
    state: 'kept',
    keyId: 'kX2n0mS8gJ1qv4C5b7Yt3pLrWzE9uHoAeDfIi6OQxTc',
    fingerprint: FINGERPRINT,
    fingerprintGroups: GROUPS,
    words: WORDS,
    addresses: ['192.168.1.20:3100', '[fd00::20]:3100'],
    pairedBy: 'link',
    pairedAt: '2026-01-02T12:00:00.000Z',
    line: {
      out: { state: 'ok', checkedAt: now, latencyMs: 0.94, address: '192.168.1.20:3100' },
      in: { state: 'ok', checkedAt: now, latencyMs: 1.1 },
    },
    via: 'direct',
    online: true,
    latencyMs: 0.94,
    clockOffsetMs: 12,
    lastSeenAt: now,
    queued: 0,
    unconfirmed: 0,
    unread: 0,
    muted: false,
    trial: false,
    ...over,
  };
}

export function brokenPeer(over: Partial<PeerView> = {}): PeerView {
  return peer({
    name: 'server',
    suggestedName: 'server',
    line: {
      out: { state: 'failed', checkedAt: new Date().toISOString(), problem: refused() },
      in: { state: 'ok', latencyMs: 1.3 },
    },
    online: false,
    lastSeenAt: new Date(Date.now() - 3_600_000 * 3).toISOString(),
    queued: 2,
    ...over,
  });
}

export function message(over: Partial<MessageView> = {}): MessageView {
  const at = new Date().toISOString();
  return {
    seq: 1,
    messageId: 'm-1',
    direction: 'out',
    peer: 'wsl-box',
    type: 'text',
    text: 'Build finished, 214 tests passed.',
    bytes: 61,
    payload: { type: 'text', text: 'Build finished, 214 tests passed.' },
    sentAt: at,
    createdAt: at,
    state: 'delivered',
    evidence: 'signed',
    ...over,
  };
}

export function conversation(over: Partial<ConversationView> = {}): ConversationView {
  return {
    peer: 'wsl-box',
    dialect: 'tieline',
    online: true,
    muted: false,
    last: message(),
    unread: 0,
    queued: 0,
    unconfirmed: 0,
    asks: 0,
    ...over,
  };
}

export function invite(over: Partial<InviteView> = {}): InviteView {
  return {
    id: 'inv-1',
    link: 'tieline://join#AAAA',
    state: 'open',
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 600_000).toISOString(),
    expiresInMs: 600_000,
    fingerprint: FINGERPRINT,
    words: WORDS,
    ...over,
  };
}
