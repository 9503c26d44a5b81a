/** Ways to pair: by a link shown or used here, or by swapping cards. */
export type PairTab = 'show' | 'join' | 'swap';

/** Which page is shown, as it stands in the address after `#`. */
export type Route =
  | { page: 'peers' }
  | { page: 'peer'; name: string }
  | { page: 'pair'; tab: PairTab }
  /** `compose`: with the composer for `peer` focused, as *Reply* on a notification asks for. */
  | { page: 'messages'; peer?: string; id?: string; compose?: boolean };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [head, ...rest] = path.split('/').map(decode);
  const arg = rest.join('/');
  switch (head) {
    case 'peers':
      return arg ? { page: 'peer', name: arg } : { page: 'peers' };
    case 'pair':
      return { page: 'pair', tab: arg === 'join' || arg === 'swap' ? arg : 'show' };
    case 'messages':
      return messages(arg || undefined, new URLSearchParams(query));
    default:
      return { page: 'peers' };
  }
}

export function linkTo(route: Route): string {
  switch (route.page) {
    case 'peers':
      return '#/peers';
    case 'peer':
      return `#/peers/${encodeURIComponent(route.name)}`;
    case 'pair':
      return route.tab === 'show' ? '#/pair' : `#/pair/${route.tab}`;
    case 'messages': {
      const id = route.id ? `/${encodeURIComponent(route.id)}` : '';
      const peer = route.peer ? `?peer=${encodeURIComponent(route.peer)}` : '';
      return `#/messages${id}${peer}${peer && route.compose ? '&compose' : ''}`;
    }
  }
}

function messages(id: string | undefined, query: URLSearchParams): Route {
  const peer = query.get('peer') ?? undefined;
  const compose = query.has('compose') && peer !== undefined;
  return { page: 'messages', id, peer, ...(compose ? { compose } : {}) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
