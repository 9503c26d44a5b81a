import type { EngineEvent } from '../api/types';

/** An answer of the control API, before anybody looked into it. */
export interface RawAnswer {
  status: number;
  body: Uint8Array;
}

/** What the events channel delivers. */
export type HostSignal =
  | { type: 'event'; event: EngineEvent }
  /** The tray (later also a link) asks the window to show a page, such as `/pair`. */
  | { type: 'go'; path: string }
  /** The stream is open. */
  | { type: 'open' }
  /** The stream broke and is being opened again; pages are told when it is back. */
  | { type: 'lost' }
  /** This page may not listen any more, and opening the stream again would not help. */
  | { type: 'ended' };

export interface HostFacts {
  /** There is a tray with a *Quit*. Where the host can quit and there is no tray, the window offers it. */
  tray: boolean;
  /** Whether Tieline starts at login. Absent where that cannot be told. */
  startAtLogin?: boolean;
}

/** What installing the command line tool came to. */
export interface InstalledCommand {
  /** Where the command is. */
  path: string;
  /** The program it starts. */
  program: string;
  /** Whether a terminal finds it under its name. */
  onPath: boolean;
  /** The same in words, with what is left to do. */
  words: string;
}

/** What the page runs in: the app's window, or a browser. Everything outside the page goes through here. */
export interface Host {
  readonly kind: 'app' | 'browser';
  /** Calls the control API. `path` carries its query. Fails only if nothing answered. */
  request(method: string, path: string, body?: Uint8Array): Promise<RawAnswer>;
  /** Opens the event stream after `after`; the returned function closes it. */
  events(after: number | undefined, deliver: (signal: HostSignal) => void): () => void;
  /**
   * Puts text on the clipboard. The app keeps `secret` text out of clipboard histories where the platform can,
   * and clears it when the link in it has been used or has expired, unless something else is there by then.
   */
  copy(text: string, options?: { secret?: boolean }): Promise<void>;
  /** Reads the clipboard, on a click. */
  paste(): Promise<string>;
  /** Gives the user a file with this text. Absent where the page cannot. */
  save?(fileName: string, text: string): Promise<void>;
  /** What the page should know of what is around it. */
  facts(): Promise<HostFacts>;
  /** The link that was clicked outside and brought the window here, once. Absent where there is none. */
  offeredLink?(): Promise<string | null>;
  /** Starts Tieline at login, or no longer. Absent where the page cannot do that. */
  startAtLogin?(on: boolean): Promise<void>;
  /** Makes `tieline` a command of the terminal. Absent where the page cannot do that. */
  installCommandLine?(): Promise<InstalledCommand>;
  /** Starts the engine again after it could not start. Absent where the page cannot do that. */
  restart?(): Promise<void>;
  /** Stops Tieline. Absent where the page cannot do that. */
  quit?(): Promise<void>;
}
