/** Which page is shown, as it stands in the address after `#`. */
export type Route =
  | { page: 'peers' }
  | { page: 'peer'; name: string }
  | { page: 'pair'; tab: 'show' | 'join' }
  | { page: 'messages'; peer?: string; id?: string };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [head, ...rest] = path.split('/').map(decode);
  const arg = rest.join('/');
  switch (head) {
    case 'peers':
      return arg ? { page: 'peer', name: arg } : { page: 'peers' };
    case 'pair':
      return { page: 'pair', tab: arg === 'join' ? 'join' : 'show' };
    case 'messages':
      return {
        page: 'messages',
        id: arg || undefined,
        peer: new URLSearchParams(query).get('peer') ?? undefined,
      };
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
      return route.tab === 'join' ? '#/pair/join' : '#/pair';
    case 'messages': {
      const id = route.id ? `/${encodeURIComponent(route.id)}` : '';
      const peer = route.peer ? `?peer=${encodeURIComponent(route.peer)}` : '';
      return `#/messages${id}${peer}`;
    }
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
