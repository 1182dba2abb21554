/** Where the stream goes. Pure. */
import type { IcecastOutputPlan, OutputPlan, RecordingOutputPlan, RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import { mainOutputId } from '#protocol/media.ts';
import type { SettingKey } from '#protocol/settings.ts';
import { type StreamTarget, streamTargets } from '#protocol/stream-targets.ts';

/** One output for each address that is set; the same address and key a second time would only drive the first one away. */
export function planOutputs(text: (key: SettingKey) => string): OutputPlan[] {
  const outputs = streamTargets
    .filter(({ address }) => text(address) !== '')
    .map((target) => planRtmpOutput(outputIdOf(target), text(target.address), text(target.key)));
  return outputs.filter(({ location }, index) => outputs.findIndex((other) => other.location === location) === index);
}

function outputIdOf({ number }: StreamTarget): string {
  return number === 1 ? mainOutputId : `rtmp-${number}`;
}

/** The setting in which the key of an RTMP output is looked for. */
export function keySettingOf(outputId: string): SettingKey {
  return streamTargets.find((target) => outputIdOf(target) === outputId)?.key ?? 'AV_STREAM_KEY';
}

/**
 * Address and key are joined by a slash. Without a key the last of several path segments is the stream's name; an application alone is
 * followed by an empty name, which stands behind a slash: rtmp2sink takes no address that names no stream.
 */
function planRtmpOutput(id: string, address: string, key: string): RtmpOutputPlan {
  const base = address.replace(/\/+$/, '');
  const namesStream = key === '' && /^rtmps?:\/\/[^/]*\/.*\//.test(base);
  return { id, kind: 'rtmp', target: shownAddress(base, key !== ''), location: namesStream ? base : `${base}/${key}` };
}

export function isNameless({ location }: RtmpOutputPlan): boolean {
  return location.endsWith('/');
}

/** Sound alone: none where there is no sound, or no address. */
export function planIcecastOutput(address: string, name: string, hasAudio: boolean): readonly IcecastOutputPlan[] {
  if (address === '' || !hasAudio) return [];
  const match = /^icecast:\/\/(?:[^/]*@)?([^/?#]*)(\/[^?#]*)?/.exec(address);
  const target = `icecast://${match?.[1] ?? '…'}${match?.[2] ?? ''}`.slice(0, 1024);
  return [{ id: 'icecast', kind: 'icecast', target, location: address, name }];
}

/** The same id always: there is one recording, and a new length or place begins it anew. */
export function planRecordingOutput(directory: string, segmentMinutes: number): RecordingOutputPlan {
  return {
    id: 'recording',
    kind: 'recording',
    target: 'recordings on the device',
    directory: directory === '' ? null : directory,
    segmentS: segmentMinutes * 60,
  };
}

/**
 * The address without user, password, query and key. People also put the key into the address itself: without a key of its own,
 * the last of several path segments is taken for one.
 */
export function shownAddress(base: string, hasKey: boolean): string {
  const match = /^(rtmps?:\/\/)(?:[^/]*@)?([^/?#]*)(\/[^?#]*)?/.exec(base);
  if (match === null) return 'rtmp://…';
  const segments = (match[3] ?? '').split('/').filter((segment) => segment !== '');
  const shown = hasKey || segments.length < 2 ? segments : [...segments.slice(0, -1), '…'];
  return [`${match[1]}${match[2]}`, ...shown].join('/').slice(0, 1024);
}
