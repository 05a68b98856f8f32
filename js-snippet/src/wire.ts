/** Wire: the shapes that leave the page, named as in docs/wire.md, and the limits of their texts. */

/** Nothing that is said: such a field is left out. */
type Nothing = false | undefined;

export interface Event {
  type: 'view' | 'vital' | 'fetch' | 'feed' | 'resource' | 'error' | 'longframe' | 'action' | 'mark';
  at?: number;
  duration_ms?: number | Nothing;
  name?: string | undefined;
  target?: string | undefined;
  url?: string | undefined;
  span_id?: string;
  trace_id?: string | undefined;
  parent_span_id?: string;
  attributes?: Record<string, string> | undefined;
  phases?: Record<string, number | Nothing> | Nothing;
  count?: number | undefined;
  value?: number | undefined;
  cause?: string | undefined;
  failure?: string | undefined;
  initiator?: string | undefined;
  trace_source?: string | undefined;
  server_span_id?: string | undefined;
  status_code?: number | undefined;
  bytes?: number | Nothing;
  error_type?: string | undefined;
  message?: string | undefined;
  stack?: string | undefined;
  crumbs?: string[];
  batch?: number;
  burst?: number;
  duplicates?: number;
  items?: number | undefined;
  stall_ms?: number | undefined;
  distance_px?: number | undefined;
  depth_px?: number | undefined;
  abandoned?: boolean;
}

export type Cause = 'load' | 'scroll' | 'click' | 'key' | 'navigation' | 'timer';
export type Failure = 'abort' | 'timeout' | 'offline' | 'network';
