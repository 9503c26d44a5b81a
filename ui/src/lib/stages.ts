import type { MessageDetail, MessageState, MessageView, ReceiptView } from './api/types';

/** A step of a message's way, as drawn: dotted until it happened, hollow while only the peer's word says so. */
export interface StageMark {
  key: 'queued' | 'stored' | 'handedOver' | 'acknowledged' | 'failed' | 'refused';
  label: string;
  /** `signed`: the peer's signature proves it. `done`: by our own record. `claimed`: nothing proves it. */
  mark: 'signed' | 'done' | 'claimed' | 'waiting' | 'failed';
  at?: string;
  note?: string;
}

/** The way of a message so far and what is still open. */
export function stagesOf({ message, receipts }: Pick<MessageDetail, 'message' | 'receipts'>): StageMark[] {
  return message.direction === 'out' ? outgoing(message, receipts) : incoming(message);
}

function outgoing(message: MessageView, receipts: ReceiptView[]): StageMark[] {
  const receipt = (stage: ReceiptView['stage']) => receipts.find((one) => one.stage === stage);
  const accepted: StageMark = { key: 'queued', label: 'Accepted here', mark: 'done', at: message.createdAt };

  const refused = receipt('refused');
  if (refused) {
    return [accepted, { key: 'refused', label: 'Refused', mark: 'failed', at: refused.at, note: 'signed by the peer' }];
  }
  if (message.state === 'failed') {
    return [accepted, { key: 'failed', label: 'Not delivered', mark: 'failed', note: 'nothing was stored there' }];
  }
  return [
    accepted,
    receipt('stored')
      ? { key: 'stored', label: 'Stored there', mark: 'signed', at: receipt('stored')?.at, note: 'signed receipt' }
      : unsignedStored(message),
    ...(['handedOver', 'acknowledged'] as const).map((stage): StageMark => {
      const word = stage === 'handedOver' ? 'Handed over' : 'Acknowledged';
      const found = receipt(stage);
      return found
        ? { key: stage, label: word, mark: 'signed', at: found.at, note: 'signed receipt' }
        : { key: stage, label: word, mark: 'waiting' };
    }),
  ];
}

function unsignedStored(message: MessageView): StageMark {
  const stored = { key: 'stored', label: 'Stored there' } as const;
  if (message.state === 'delivered') {
    return message.evidence === 'claimed'
      ? { ...stored, mark: 'claimed', note: 'the peer says so, unsigned' }
      : { ...stored, mark: 'claimed', note: 'no proof' };
  }
  if (message.state === 'unconfirmed') {
    return { ...stored, mark: 'waiting', note: 'unknown: the answer was lost' };
  }
  return { ...stored, mark: 'waiting' };
}

function incoming(message: MessageView): StageMark[] {
  const reached = INCOMING_ORDER.indexOf(message.state);
  return [
    { key: 'stored', label: 'Stored here', mark: 'done', at: message.createdAt },
    reached >= INCOMING_ORDER.indexOf('handedOver')
      ? { key: 'handedOver', label: 'Handed over', mark: 'done' }
      : { key: 'handedOver', label: 'Handed over', mark: 'waiting' },
    message.state === 'acknowledged'
      ? { key: 'acknowledged', label: 'Acknowledged', mark: 'done', at: message.acknowledgedAt }
      : { key: 'acknowledged', label: 'Acknowledged', mark: 'waiting' },
  ];
}

const INCOMING_ORDER: MessageState[] = ['new', 'read', 'handedOver', 'acknowledged'];

/** What a stage means, for those who do not know the word. */
export const MEANS: Partial<Record<StageMark['key'], string>> = {
  handedOver: 'an agent or its hook has taken it',
  acknowledged: 'the agent said that it is done with it',
};

/** What the state that a list shows means, where the word alone does not say it. */
export function explanation(message: Parameters<typeof stateWord>[0]): string | undefined {
  const word = stateWord(message);
  if (word === 'Handed over') return `Handed over: ${MEANS.handedOver}`;
  if (word === 'Acknowledged') return `Acknowledged: ${MEANS.acknowledged}`;
  return undefined;
}

/** The word for a message's state in a list. */
export function stateWord(
  message: Pick<MessageView, 'state' | 'evidence'> & Partial<Pick<MessageView, 'acknowledgedAt' | 'handedOverAt'>>,
): string {
  switch (message.state) {
    case 'queued':
      return 'Waiting';
    case 'sending':
      return 'Sending';
    case 'delivered':
      if (message.acknowledgedAt) return 'Acknowledged';
      if (message.handedOverAt) return 'Handed over';
      return { signed: 'Delivered, signed', claimed: 'Delivered, unsigned', none: 'Delivered, no proof' }[
        message.evidence ?? 'none'
      ];
    case 'failed':
      return 'Not delivered';
    case 'unconfirmed':
      return 'Unconfirmed';
    case 'new':
      return 'New';
    case 'read':
      return 'Read';
    case 'handedOver':
      return 'Handed over';
    case 'acknowledged':
      return 'Acknowledged';
  }
}
