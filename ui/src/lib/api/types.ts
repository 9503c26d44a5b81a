/**
 * The views that the control API answers with. They come from its OpenAPI document (`schema.ts`); here are only
 * their names, and what that document says in words alone: which strings a field may hold.
 */
import type * as schema from './schema';

/** Absent fields are left out of every answer and never null, and a free object holds anything. */
export type Present<T> = T extends readonly (infer Item)[]
  ? Present<Item>[]
  : T extends object
    ? string extends keyof T
      ? Record<string, unknown>
      : { [Key in keyof T]: Present<Exclude<T[Key], null>> }
    : T;

/** `T` with some of its strings known exactly. Fails to compile when such a field is gone. */
type Exactly<T, Known extends { [Key in keyof T]?: unknown }> = Omit<T, keyof Known> & Known;

export type Phase = schema.Phase;

/** Why something failed, in the engine's words. The UI adds none of its own. */
export type Problem = Present<schema.Problem>;

export type NodeStatus = Present<schema.NodeStatus>;
/** What is known about one way between this machine and a peer. */
export type Direction = Present<schema.Direction>;
export type PeerView = Present<schema.PeerView>;
export type InviteView = Present<schema.InviteView>;
export type LinkPreview = Present<schema.LinkPreview>;

export type CompareView = Present<schema.CompareView>;
export type PresentedView = Exactly<
  Present<schema.PresentedView>,
  { form: 'card' | 'pem' | 'peersJson' | 'parts' }
>;
/** The throw-away second node. */
export type TrialView = Present<schema.TrialView>;
export type SecretView = Present<schema.SecretView>;
export type SwapOffer = Present<schema.SwapOffer>;

export type AttemptView = Exactly<Present<schema.AttemptView>, { status: 'success' | 'failed' }>;
export type PingView = Exactly<Present<schema.PingView>, { attempts: AttemptView[] }>;
export type JoinView = Exactly<Present<schema.JoinView>, { pingOut?: PingView }>;

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

export type MessageView = Exactly<
  Present<schema.MessageView>,
  { direction: 'in' | 'out'; state: MessageState; evidence?: Evidence }
>;
export type MessagePage = Exactly<Present<schema.MessagePage>, { messages: MessageView[] }>;
/** One conversation for each peer. */
export type ConversationView = Exactly<Present<schema.ConversationView>, { last?: MessageView }>;
export type ReceiptView = Exactly<
  Present<schema.ReceiptView>,
  { stage: 'stored' | 'handedOver' | 'acknowledged' | 'refused' }
>;
export type MessageDetail = Exactly<
  Present<schema.MessageDetail>,
  { message: MessageView; attempts: AttemptView[]; receipts: ReceiptView[] }
>;
/** An outgoing message with its last tries. */
export type DeliveryView = Exactly<
  Present<schema.DeliveryView>,
  { message: MessageView; attempts: AttemptView[]; receipts: ReceiptView[] }
>;
export type DeliveryPage = Exactly<Present<schema.DeliveryPage>, { deliveries: DeliveryView[] }>;
export type SendOutcome = Exactly<Present<schema.SendOutcome>, { attempts: AttemptView[] }>;

/** A question to a peer and what came of it. */
export type AskView = Exactly<Present<schema.AskView>, { status: 'answered' | 'accepted' | 'failed'; problem?: Problem }>;
/** A peer's question that waits for the person. */
export type PendingAsk = Present<schema.PendingAsk>;
export type BrakeView = Exactly<Present<schema.BrakeView>, { kind: 'asksIn' | 'asksOut' | 'handovers' }>;
/** What takes messages. */
export type Hook = Present<schema.Hook>;
export type HookView = Exactly<Present<schema.HookView>, { hook: Hook; lastProblem?: Problem }>;
export type HookTrial = Exactly<Present<schema.HookTrial>, { problem?: Problem }>;
/** What answers questions. */
export type Responder = Present<schema.Responder>;
export type Preferences = Present<schema.Preferences>;
/** Some of the preferences; null puts back what holds by default (RFC 7396). */
export interface PreferencesChange {
  notifications?: {
    pausedUntil?: string | null;
    quietHours?: { from: string; to: string } | null;
    hideText?: boolean;
  };
  routeOrder?: Preferences['routeOrder'];
  retentionDays?: number | null;
  requireToken?: boolean;
}
export type KithkitLan = Present<schema.KithkitLan>;
export type KithkitLanView = Present<schema.KithkitLanView>;
export type RouteChoice = schema.RouteChoice;

export type DiagnosticsView = Present<schema.DiagnosticsView>;
export type LogLine = Present<schema.LogLine>;

/** What changed in the engine; the page fetches what it shows of that kind again. */
export type EventKind = schema.EventKind;
export type EngineEvent = Present<schema.Event>;
