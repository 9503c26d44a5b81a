/** The views that the control API answers with, named as the engine names them. */

export type Phase = 'resolve' | 'connect' | 'tls' | 'pin' | 'auth' | 'limit' | 'store' | 'responder';

/** Why something failed, in the engine's words. The UI adds none of its own. */
export interface Problem {
  code: string;
  summary: string;
  cause: string;
  remedy: string;
  phase?: Phase;
  detail?: Record<string, unknown>;
}

export interface NodeStatus {
  name: string;
  home: string;
  version: string;
  pid: number;
  host: 'app' | 'serve';
  uptimeMs: number;
  startedAt: string;
  peerAddr: string;
  apiAddr?: string;
  vault: { kind: string; description: string };
  keyId: string;
  pin: string;
  fingerprint: string;
  fingerprintGroups: string[];
  words: string[];
  storeId: string;
  counts: { peers: number; queued: number; unconfirmed: number; unread: number };
  problems: Problem[];
}

/** What is known about one way between this machine and a peer. */
export interface Direction {
  state: 'ok' | 'failed' | 'unknown';
  checkedAt?: string;
  latencyMs?: number;
  address?: string;
  problem?: Problem;
}

export interface PeerView {
  name: string;
  suggestedName: string;
  dialect: string;
  state: 'joined' | 'kept' | 'newKey' | 'revoked';
  keyId?: string;
  pin?: string;
  fingerprint?: string;
  fingerprintGroups?: string[];
  words?: string[];
  addresses: string[];
  pairedBy: string;
  pairedAt: string;
  line: { out: Direction; in: Direction };
  via?: 'direct' | 'held';
  online: boolean;
  latencyMs?: number;
  clockOffsetMs?: number;
  lastSeenAt?: string;
  lastProblem?: Problem;
  queued: number;
  unread: number;
  muted: boolean;
}

export interface InviteView {
  id: string;
  link?: string;
  state: 'open' | 'joined' | 'expired' | 'cancelled' | 'locked';
  createdAt: string;
  expiresAt: string;
  expiresInMs: number;
  fingerprint: string;
  words: string[];
  joinedPeer?: string;
}

export interface LinkPreview {
  name: string;
  addresses: string[];
  fingerprint: string;
  fingerprintGroups: string[];
  words: string[];
}

export interface AttemptView {
  ordinal?: number;
  route: 'lan' | 'relay';
  via?: 'direct' | 'held';
  address?: string;
  status: 'success' | 'failed';
  phase?: Phase;
  latencyMs: number;
  error?: string;
  code?: string;
  problem?: Problem;
  startedAt: string;
  timings?: { connectMs?: number; tlsMs?: number; authMs?: number; storeMs?: number };
}

export interface PingView {
  peer: string;
  latencyMs: number;
  route: 'lan' | 'relay';
  via?: 'direct' | 'held';
  address?: string;
  clockOffsetMs?: number;
  attempts: AttemptView[];
}

export interface JoinView {
  peer: PeerView;
  pingOut?: PingView | null;
  pingOutProblem?: Problem;
  pingIn?: { ok: boolean; latencyMs?: number; problem?: Problem };
}

export type MessageState =
  | 'queued'
  | 'sending'
  | 'delivered'
  | 'failed'
  | 'unconfirmed'
  | 'new'
  | 'read'
  | 'handedOver'
  | 'acknowledged';

export type Evidence = 'signed' | 'claimed' | 'none';

export interface MessageView {
  seq: number;
  messageId: string;
  direction: 'in' | 'out';
  peer: string;
  type: string;
  text?: string;
  payload?: unknown;
  sentAt: string;
  createdAt: string;
  state: MessageState;
  /** Of an incoming message: how surely it is from that peer. */
  assurance?: 'signed' | 'sharedSecret' | 'unauthenticated';
  evidence?: Evidence;
  problem?: Problem;
  readAt?: string;
  acknowledgedAt?: string;
}

export interface MessagePage {
  messages: MessageView[];
  next?: number;
}

export interface ReceiptView {
  stage: 'stored' | 'handedOver' | 'acknowledged' | 'refused';
  at: string;
  storeId: string;
  signature: string;
}

export interface MessageDetail {
  message: MessageView;
  attempts: AttemptView[];
  receipts: ReceiptView[];
}

export interface SendOutcome {
  ok: true;
  messageId: string;
  target: string;
  route: string;
  status: string;
  evidence?: Evidence;
  attempts: AttemptView[];
  timestamp: string;
}

/** What changed in the engine; the page fetches what it shows of that kind again. */
export type EventKind =
  | 'peers'
  | 'messages'
  | 'attempts'
  | 'invites'
  | 'secrets'
  | 'status'
  | 'settings'
  | 'resync';

export interface EngineEvent {
  seq: number;
  kind: EventKind;
  ids: string[];
}
