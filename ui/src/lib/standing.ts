import type { PeerView } from './api/types';

/** What a peer may do here, and how sure it is that it is the one. */
export interface Standing {
  /** The language spoken with it. */
  dialect: string;
  /** Said beside it where the way is not encrypted. */
  warning?: string;
  /** How surely its messages are its own. */
  assurance: string;
  may: string[];
  mayNot: string[];
}

const TALKS = ['ping this machine', 'write to your inbox'];
const KEPT = ['have its messages taken by agents here', 'ask questions, if something answers them'];

export function standingOf(peer: Pick<PeerView, 'dialect' | 'state'>): Standing {
  switch (peer.dialect) {
    case 'kithkit':
      return {
        dialect: 'KithKit LAN',
        warning: 'not encrypted',
        assurance:
          'Its messages are checked by a secret that all machines of the LAN share: any of them could have written one, and the network can read it.',
        may: ['write to your inbox, while the KithKit listener is on'],
        mayNot: ['ask questions', 'see your other peers'],
      };
    case 'abtars':
      return {
        dialect: 'abTARS',
        assurance: 'Its requests are signed by its own key.',
        may: TALKS,
        mayNot: ['see your other peers'],
      };
    default:
      return {
        dialect: 'Tieline',
        assurance: 'TLS 1.3 with both keys pinned; every request and receipt is signed by its own key.',
        ...rights(peer.state),
      };
  }
}

function rights(state: PeerView['state']): Pick<Standing, 'may' | 'mayNot'> {
  switch (state) {
    case 'joined':
      return { may: TALKS, mayNot: [...KEPT, 'see your other peers'] };
    case 'kept':
      return { may: [...TALKS, ...KEPT], mayNot: ['read your messages with others', 'see your other peers', 'run anything that you did not choose'] };
    case 'newKey':
    case 'revoked':
      return { may: [], mayNot: [...TALKS, ...KEPT] };
  }
}
