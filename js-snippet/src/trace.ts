/** Trace: W3C trace context, as it comes back from servers. */

export interface Parent {
  _trace: string;
  _span: string;
  /** True for W3C's `trace`, whose id is offered to the browser's own span; false for `traceparent`, the server's span. */
  _ours: boolean;
}

export const parse = (header: string | null | undefined, ours = false): Parent | undefined => {
  const m = /-([\da-f]{32})-([\da-f]{16})-/.exec(header || '');
  return m ? { _trace: m[1]!, _span: m[2]!, _ours: ours } : undefined;
};
