/** Ways to pair: by a link shown or used here, by swapping cards, or whichever suits this machine. */
export type PairTab = 'any' | 'show' | 'join' | 'swap';

/** Which page is shown, as it stands in the address after `#`. */
export type Route =
  | { page: 'welcome' }
  | { page: 'peers' }
  | { page: 'peer'; name: string }
  | { page: 'pair'; tab: PairTab }
  | { page: 'secrets' }
  | { page: 'settings' }
  | MessagesRoute
  | DeliveriesRoute
  | { page: 'diagnostics' };

/**
 * The conversations, or the one with `peer`. `message` is open beside it; `compose` puts the cursor into the
 * composer, and `ask` does so for the answer to that question. A notification opens `#/messages/PEER?compose`.
 */
export interface MessagesRoute {
  page: 'messages';
  peer?: string;
  message?: string;
  compose?: boolean;
  ask?: string;
}

/** Outgoing messages with their way, narrowed down; `message` is open beside them. */
export interface DeliveriesRoute {
  page: 'deliveries';
  peer?: string;
  state?: string;
  over?: string;
  evidence?: string;
  message?: string;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [head, ...rest] = path.split('/').map(decode);
  const arg = rest.join('/');
  const asked = new URLSearchParams(query);
  switch (head) {
    case 'peers':
      return arg ? { page: 'peer', name: arg } : { page: 'peers' };
    case 'welcome':
    case 'secrets':
    case 'settings':
      return { page: head };
    case 'pair':
      return { page: 'pair', tab: arg === 'show' || arg === 'join' || arg === 'swap' ? arg : 'any' };
    case 'messages':
      return withoutUnset({
        page: 'messages',
        peer: arg || asked.get('peer') || undefined,
        message: asked.get('message') || undefined,
        compose: asked.has('compose') || undefined,
        ask: asked.get('ask') || undefined,
      });
    case 'deliveries':
      return withoutUnset({
        page: 'deliveries',
        peer: asked.get('peer') || undefined,
        state: asked.get('state') || undefined,
        over: asked.get('over') || undefined,
        evidence: asked.get('evidence') || undefined,
        message: arg || undefined,
      });
    case 'diagnostics':
      return { page: 'diagnostics' };
    default:
      return { page: 'peers' };
  }
}

export function linkTo(route: Route): string {
  switch (route.page) {
    case 'welcome':
    case 'secrets':
    case 'settings':
      return `#/${route.page}`;
    case 'peers':
      return '#/peers';
    case 'peer':
      return `#/peers/${encodeURIComponent(route.name)}`;
    case 'pair':
      return route.tab === 'any' ? '#/pair' : `#/pair/${route.tab}`;
    case 'messages': {
      const peer = route.peer ? `/${encodeURIComponent(route.peer)}` : '';
      return `#/messages${peer}${questionOf({ message: route.message, compose: route.compose, ask: route.ask })}`;
    }
    case 'deliveries': {
      const { page, message, ...filter } = route;
      return `#/${page}${message ? `/${encodeURIComponent(message)}` : ''}${questionOf(filter)}`;
    }
    case 'diagnostics':
      return '#/diagnostics';
  }
}

/** `?a=b&flag` of what is set. */
function questionOf(fields: Record<string, string | boolean | undefined>): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== false && value !== '')
    .map(([key, value]) => (value === true ? key : `${key}=${encodeURIComponent(String(value))}`));
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

function withoutUnset<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
