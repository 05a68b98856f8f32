/** Wire: the shapes that leave the page, named as in docs/wire.md. */

export interface Event {
  type: 'view' | 'vital' | 'fetch' | 'feed' | 'resource' | 'error' | 'longframe' | 'action' | 'mark';
  at: number;
  duration_ms?: number;
  name?: string;
  target?: string;
  url?: string;
  span_id?: string;
  trace_id?: string;
  parent_span_id?: string;
  attributes?: Record<string, string>;
  phases?: Record<string, number>;
  count?: number;
  value?: number;
  cause?: string;
  failure?: string;
  initiator?: string;
  trace_source?: string;
  server_span_id?: string;
  status_code?: number;
  bytes?: number;
  error_type?: string;
  message?: string;
  stack?: string;
  breadcrumbs?: string;
  batch?: number;
  burst?: number;
  duplicates?: number;
  items?: number;
  stall_ms?: number;
  distance_px?: number;
  depth_px?: number;
  abandoned?: boolean;
}

export type Cause = 'load' | 'scroll' | 'click' | 'key' | 'navigation' | 'timer';
export type Failure = 'abort' | 'timeout' | 'offline' | 'network';
