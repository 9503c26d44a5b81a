import type { Host } from '../host/host';
import { ApiProblem, problemFrom, unreachable } from './problem';
import type {
  InviteView,
  JoinView,
  LinkPreview,
  MessageDetail,
  MessagePage,
  MessageView,
  NodeStatus,
  PeerView,
  PingView,
  SendOutcome,
} from './types';

/** Which messages to list; `before` continues a page at its `next`. */
export interface MessageQuery {
  peer?: string;
  direction?: 'in' | 'out';
  state?: string;
  search?: string;
  unread?: boolean;
  before?: number;
  after?: number;
  limit?: number;
}

/** The control API, one function a route. Every function throws `ApiProblem`. */
export type Api = ReturnType<typeof createApi>;

export function createApi(host: Pick<Host, 'request'>) {
  const get = <T>(path: string) => call<T>(host, 'GET', path);
  const post = <T>(path: string, body: unknown = {}) => call<T>(host, 'POST', path, body);
  const remove = <T>(path: string) => call<T>(host, 'DELETE', path);
  const peerPath = (name: string, action?: string) =>
    `/control/peers/${encodeURIComponent(name)}${action ? `/${action}` : ''}`;
  const messagePath = (id: string) => `/control/messages/${encodeURIComponent(id)}`;

  return {
    status: () => get<NodeStatus>('/control/status'),

    createInvite: (ttlSeconds?: number) => post<InviteView>('/control/invites', { ttlSeconds }),
    invites: () => get<InviteView[]>('/control/invites'),
    cancelInvite: (id: string) => remove<void>(`/control/invites/${encodeURIComponent(id)}`),
    previewLink: (link: string) => post<LinkPreview>('/control/join/preview', { link }),
    join: (link: string) => post<JoinView>('/control/join', { link }),

    peers: () => get<PeerView[]>('/control/peers'),
    peer: (name: string) => get<PeerView>(peerPath(name)),
    keep: (name: string) => post<PeerView>(peerPath(name, 'keep')),
    undo: (name: string) => post<void>(peerPath(name, 'undo')),
    ping: (name: string) => post<PingView>(peerPath(name, 'ping')),
    unpair: (name: string) => remove<void>(peerPath(name)),

    /** Accepts the message and leaves it in the outbox if it cannot go now. */
    send: (to: string, payload: Record<string, unknown>, onFailure: 'fail' | 'queue' = 'queue') =>
      post<SendOutcome>('/control/send', { to, payload, onFailure }),
    messages: (query: MessageQuery = {}) => get<MessagePage>(`/control/messages${queryString(query)}`),
    message: (id: string) => get<MessageDetail>(messagePath(id)),
    acknowledge: (id: string) => post<MessageView>(`${messagePath(id)}/ack`),
    markRead: (peer: string, upTo: number) => post<void>(peerPath(peer, 'read'), { upTo }),
  };
}

/** `?a=1&b=2` of the fields that are set; nothing for none. */
export function queryString(query: object): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

async function call<T>(host: Pick<Host, 'request'>, method: string, path: string, body?: unknown): Promise<T> {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body));
  let answer;
  try {
    answer = await host.request(method, path, bytes);
  } catch (error) {
    throw new ApiProblem(unreachable(error instanceof Error ? error.message : String(error)), 0);
  }
  const parsed = parse(answer.body);
  if (answer.status < 200 || answer.status > 299) {
    throw new ApiProblem(problemFrom(parsed, answer.status), answer.status, parsed);
  }
  return parsed as T;
}

function parse(body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
