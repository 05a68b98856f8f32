/** Types of the npm entry; docs/snippet.md says what each does. */
export interface Options {
  key: string;
  url?: string;
  route?: string;
  release?: string;
  environment?: string;
  user?: string;
  traceOrigins?: string | string[];
  queryAllow?: string | string[];
  consent?: string;
  respect?: string | string[];
  sample?: number | string;
}

export interface Farside {
  init(options?: Partial<Options>): void;
  route(template: string): void;
  user(id?: string): void;
  set(name: string, value?: unknown): void;
  flag(name: string, value: unknown, source?: 'live' | 'cached' | 'default'): void;
  error(error: unknown, extra?: Record<string, unknown>): void;
  mark(name: string, value?: number): void;
  span<T>(name: string, call: () => T): T;
  consent(): void;
  optOut(): void;
  release: string | undefined;
}

export declare const farside: Farside;
export declare const init: Farside['init'];
export declare const route: Farside['route'];
export declare const user: Farside['user'];
export declare const set: Farside['set'];
export declare const flag: Farside['flag'];
export declare const error: Farside['error'];
export declare const mark: Farside['mark'];
export declare const span: Farside['span'];
export declare const consent: Farside['consent'];
export declare const optOut: Farside['optOut'];
