/** Where the stream goes. Pure. */
import type { OutputPlan } from '#device/plan/pipeline-plan.ts';

/** Address and key are joined by a slash; an empty key adds nothing. */
export function planRtmpOutput(address: string, key: string): OutputPlan {
  const base = address.replace(/\/+$/, '');
  return { id: 'rtmp', kind: 'rtmp', target: shownAddress(base, key !== ''), location: key === '' ? base : `${base}/${key}` };
}

/**
 * The address without user, password, query and key. People also put the key into the address itself: without a key of its own,
 * the last of several path segments is taken for one.
 */
function shownAddress(base: string, hasKey: boolean): string {
  const match = /^(rtmps?:\/\/)(?:[^/]*@)?([^/?#]*)(\/[^?#]*)?/.exec(base);
  if (match === null) return 'rtmp://…';
  const segments = (match[3] ?? '').split('/').filter((segment) => segment !== '');
  const shown = hasKey || segments.length < 2 ? segments : [...segments.slice(0, -1), '…'];
  return [`${match[1]}${match[2]}`, ...shown].join('/').slice(0, 1024);
}
