import type { Host } from '../host/host';
import { ApiProblem, problemFrom, unreachable } from './problem';
import type { paths } from './schema';
import type {
  AskView,
  BrakeView,
  CompareView,
  ConversationView,
  DeliveryPage,
  DiagnosticsView,
  Hook,
  HookTrial,
  HookView,
  InviteView,
  JoinView,
  LinkPreview,
  LogLine,
  MessageDetail,
  MessagePage,
  MessageView,
  NodeStatus,
  PeerView,
  PendingAsk,
  PingView,
  Preferences,
  PreferencesChange,
  PresentedView,
  Responder,
  KithkitLan,
  KithkitLanView,
  SecretView,
  Problem,
  RouteChoice,
  SendOutcome,
  SwapOffer,
  TrialView,
} from './types';

/** Which messages to list; `before` continues a page at its `next`. */
export type MessageQuery = Omit<NonNullable<paths['/control/messages']['get']['parameters']['query']>, 'wait'>;

/** Which outgoing messages to list with their way. */
export type DeliveryQuery = NonNullable<paths['/control/deliveries']['get']['parameters']['query']>;

/** How a message may travel, and what becomes of it when it cannot. */
export interface SendChoices {
  onFailure?: 'fail' | 'queue';
  route?: RouteChoice;
}

/** The control API, one function a route. Every function throws `ApiProblem`. */
export type Api = ReturnType<typeof createApi>;

/** `signedOut` is told when the engine does not let this page in (any more), which only happens in a browser. */
export function createApi(host: Pick<Host, 'request'>, signedOut: (problem: Problem) => void = () => {}) {
  const caller =
    <M extends Method>(method: M) =>
    <T>(route: RouteOf<M>, options?: CallOptions): Promise<T> =>
      call<T>(host, method, route, options).catch((error: unknown) => {
        if (error instanceof ApiProblem && error.status === 401) signedOut(error.problem);
        throw error;
      });
  const get = caller('get');
  const post = caller('post');
  const remove = caller('delete');
  const put = caller('put');
  const patch = caller('patch');

  return {
    status: () => get<NodeStatus>('/control/status'),
    renameNode: (name: string) => post<void>('/control/name', { body: { name } satisfies Body<'/control/name'> }),
    setWelcomed: () => post<void>('/control/welcomed'),

    createInvite: (ttlSeconds?: number) =>
      post<InviteView>('/control/invites', { body: { ttlSeconds } satisfies Body<'/control/invites'> }),
    invites: () => get<InviteView[]>('/control/invites'),
    cancelInvite: (id: string) => remove<void>('/control/invites/{id}', { path: { id } }),
    previewLink: (link: string) =>
      post<LinkPreview>('/control/join/preview', { body: { link } satisfies Body<'/control/join/preview'> }),
    join: (link: string) => post<JoinView>('/control/join', { body: { link } satisfies Body<'/control/join'> }),

    trial: () => get<TrialView>('/control/trial'),
    startTrial: () => post<TrialView>('/control/trial'),
    unplugTrial: () => post<TrialView>('/control/trial/unplug'),
    plugTrial: () => post<TrialView>('/control/trial/plug'),
    endTrial: () => remove<void>('/control/trial'),

    swapOffer: () => get<SwapOffer>('/control/swap'),
    /** Says what a pasted text holds of another machine; nothing is stored or sent. */
    readPresented: (text: string) =>
      post<PresentedView>('/control/swap/read', { body: { text } satisfies Body<'/control/swap/read'> }),
    compare: (text: string, expected?: string) =>
      post<CompareView>('/control/compare', { body: { text, expected } satisfies Body<'/control/compare'> }),
    addPeer: (card: string, name?: string) =>
      post<PeerView>('/control/peers', { body: { card, name } satisfies Body<'/control/peers'> }),

    peers: () => get<PeerView[]>('/control/peers'),
    peer: (name: string) => get<PeerView>('/control/peers/{name}', { path: { name } }),
    keep: (name: string) => post<PeerView>('/control/peers/{name}/keep', { path: { name } }),
    undo: (name: string) => post<void>('/control/peers/{name}/undo', { path: { name } }),
    ping: (name: string) => post<PingView>('/control/peers/{name}/ping', { path: { name } }),
    rename: (name: string, to: string) =>
      post<PeerView>('/control/peers/{name}/rename', {
        path: { name },
        body: { name: to } satisfies Body<'/control/peers/{name}/rename'>,
      }),
    setAddresses: (name: string, addresses: string[]) =>
      post<PeerView>('/control/peers/{name}/addresses', {
        path: { name },
        body: { addresses } satisfies Body<'/control/peers/{name}/addresses'>,
      }),
    renewKeys: (name: string, text: string) =>
      post<PeerView>('/control/peers/{name}/renew', {
        path: { name },
        body: { text } satisfies Body<'/control/peers/{name}/renew'>,
      }),
    mute: (name: string, muted: boolean) => patch<PeerView>('/control/peers/{name}', { path: { name }, body: { muted } }),
    unpair: (name: string) => remove<void>('/control/peers/{name}', { path: { name } }),

    /** Accepts the message and leaves it in the outbox if it cannot go now, unless told to fail then. */
    send: (to: string, payload: Record<string, unknown>, { onFailure = 'queue', route }: SendChoices = {}) =>
      post<SendOutcome>('/control/send', { body: { to, payload, onFailure, route } }),
    conversations: () => get<ConversationView[]>('/control/conversations'),
    deliveries: (query: DeliveryQuery = {}) => get<DeliveryPage>('/control/deliveries', { query }),
    tryNow: (id: string) => post<void>('/control/messages/{id}/try', { path: { id } }),
    cancel: (id: string) => post<MessageView>('/control/messages/{id}/cancel', { path: { id } }),
    /** Sends what failed as a new message. */
    sendAgain: (id: string) => post<SendOutcome>('/control/messages/{id}/again', { path: { id } }),
    messages: (query: MessageQuery = {}) => get<MessagePage>('/control/messages', { query }),
    message: (id: string) => get<MessageDetail>('/control/messages/{id}', { path: { id } }),
    acknowledge: (id: string) => post<MessageView>('/control/messages/{id}/ack', { path: { id } }),
    markRead: (name: string, upTo: number) =>
      post<void>('/control/peers/{name}/read', {
        path: { name },
        body: { upTo } satisfies Body<'/control/peers/{name}/read'>,
      }),

    /** Asks and does not wait: the answer arrives as a message. */
    ask: (to: string, text: string) =>
      post<AskView>('/control/ask', { body: { to, text, waitSeconds: 0 } satisfies Body<'/control/ask'> }),
    askStatus: (id: string) => get<AskView>('/control/asks/{id}', { path: { id } }),
    pendingAsks: () => get<PendingAsk[]>('/control/asks'),
    /** Answers a peer's question; without a text, declines. */
    reply: (id: string, text?: string) =>
      post<void>('/control/asks/{id}/reply', { path: { id }, body: { text } satisfies Body<'/control/asks/{id}/reply'> }),
    diagnostics: () => get<DiagnosticsView>('/control/diagnostics'),
    /** Text without secrets, names and addresses. */
    report: () => get<{ text: string }>('/control/diagnostics/report'),
    log: (limit?: number) => get<LogLine[]>('/control/log', { query: { limit } }),

    /** What takes a peer's messages; without a peer, those of all that have no hook of their own. */
    hook: (peer?: string) =>
      peer === undefined
        ? get<HookView>('/control/hook')
        : get<HookView>('/control/peers/{name}/hook', { path: { name: peer } }),
    setHook: (hook: Hook, peer?: string) =>
      peer === undefined
        ? put<HookView>('/control/hook', { body: hook })
        : put<HookView>('/control/peers/{name}/hook', { path: { name: peer }, body: hook }),
    removeHook: (name: string) => remove<HookView>('/control/peers/{name}/hook', { path: { name } }),
    tryHook: (name: string, hook: Hook) =>
      post<HookTrial>('/control/peers/{name}/hook/try', { path: { name }, body: { hook } }),
    retryHook: (name: string) => post<HookView>('/control/peers/{name}/hook/retry', { path: { name } }),
    /** What answers a peer's questions; without a peer, the default for all that have none of their own. */
    responder: (peer?: string) => get<Responder>('/control/responder', { query: { peer } }),
    setResponder: (responder: Responder, peer?: string) =>
      put<void>('/control/responder', { query: { peer }, body: responder }),
    brakes: () => get<BrakeView[]>('/control/brakes'),
    setBrake: (peer: string, kind: BrakeView['kind'], allow: boolean) =>
      post<void>('/control/brakes', { body: { peer, kind, allow } satisfies Body<'/control/brakes'> }),

    secrets: () => get<SecretView[]>('/control/secrets'),
    /** Keeps a secret, in the place of one with the same name. */
    setSecret: (name: string, value: string) => put<void>('/control/secrets/{name}', { path: { name }, body: { value } }),
    revealSecret: (name: string) => post<{ value: string }>('/control/secrets/{name}/reveal', { path: { name } }),
    deleteSecret: (name: string) => remove<void>('/control/secrets/{name}', { path: { name } }),

    preferences: () => get<Preferences>('/control/preferences'),
    /** A JSON merge patch: what is named changes, null puts back what holds by default. */
    changePreferences: (change: PreferencesChange) => patch<Preferences>('/control/preferences', { body: change }),
    token: () => get<{ token: string }>('/control/token'),
    rotateToken: () => post<{ token: string }>('/control/token/rotate'),
    kithkitLan: () => get<KithkitLanView>('/control/kithkit-lan'),
    setKithkitLan: (settings: KithkitLan | null) => put<KithkitLanView>('/control/kithkit-lan', { body: { settings } }),
  };
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The routes that the document knows for a method: a route that is gone does not compile. */
type RouteOf<M extends Method> = {
  [Route in keyof paths]: paths[Route][M] extends object ? Route : never;
}[keyof paths];

/** The JSON that a POST route takes. */
type Body<Route extends RouteOf<'post'>> = paths[Route]['post'] extends {
  requestBody?: { content: { 'application/json': infer Json } };
}
  ? Json
  : never;

interface CallOptions {
  /** Values for the parts of the route in braces. */
  path?: Record<string, string>;
  query?: object;
  body?: unknown;
}

async function call<T>(
  host: Pick<Host, 'request'>,
  method: Method,
  route: string,
  { path = {}, query = {}, body }: CallOptions = {},
): Promise<T> {
  const target = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const bytes = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body));
  let answer;
  try {
    answer = await host.request(method.toUpperCase(), target + queryString(query), bytes);
  } catch (error) {
    throw new ApiProblem(unreachable(error instanceof Error ? error.message : String(error)), 0);
  }
  const parsed = parse(answer.body);
  if (answer.status < 200 || answer.status > 299) {
    throw new ApiProblem(problemFrom(parsed, answer.status), answer.status, parsed);
  }
  return parsed as T;
}

/** `?a=1&b=2` of the fields that are set; nothing for none. */
export function queryString(query: object): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

function parse(body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
