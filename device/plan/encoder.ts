/** The encoder part of a description, from its profile. Pure. */
import type { AdaptivePlan, LiveProperty } from '#device/plan/pipeline-plan.ts';
import type { EncoderParameter } from '#device/settings/encoder-parameters.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';

export type EncoderWish = {
  readonly bitrateKbps: number;
  readonly keyframeIntervalFrames: number;
  /** Pairs of AV_H264_ENCODER_PARAMS that passed acceptance. */
  readonly parameters: readonly EncoderParameter[];
};

export const encoderName = 'encoder';

function bitrateIn(profile: EncoderProfile, kbps: number): number {
  return profile.bitrate.unit === 'kbit/s' ? kbps : kbps * 1000;
}

/** `x264enc name=encoder tune=zerolatency … ! video/x-h264,profile=high` */
export function describeEncoder(profile: EncoderProfile, wish: EncoderWish): string {
  const own = [
    ...(isLiveProperty(profile) ? [] : [{ ...profile.bitrate, value: String(bitrateIn(profile, wish.bitrateKbps)) }]),
    { ...profile.keyframeInterval, value: String(wish.keyframeIntervalFrames) },
  ];
  const overridden = new Set(wish.parameters.map((parameter) => parameter.name));
  const properties = [
    ...profile.properties.filter((property) => !overridden.has(property.name)),
    ...own.filter((entry) => entry.target === 'property'),
    ...wish.parameters,
  ];
  const controls = [...own.filter((entry) => entry.target === 'control'), ...profile.controls];
  const words = [
    profile.match.element,
    `name=${encoderName}`,
    ...properties.map(({ name, value }) => `${name}=${value}`),
    ...(controls.length === 0 ? [] : [`extra-controls="controls,${controls.map(({ name, value }) => `${name}=${value}`).join(',')}"`]),
  ];
  return `${words.join(' ')} ! ${profile.outputCaps}`;
}

/** Set after the start, in place of a word of the description. A control cannot: until it is set the encoder would give what its driver likes. */
function isLiveProperty({ bitrate }: EncoderProfile): boolean {
  return bitrate.live && bitrate.target === 'property';
}

/** What follows AV_VIDEO_BITRATE while the encoder runs; empty where a new capture has to. */
export function liveBitrate(profile: EncoderProfile, kbps: number): readonly LiveProperty[] {
  if (!isLiveProperty(profile)) return [];
  return [{ element: encoderName, property: profile.bitrate.name, value: bitrateIn(profile, kbps) }];
}

/** Absent where the encoder cannot change its bitrate while it runs. */
export function adaptiveBitrate(profile: EncoderProfile, minimumKbps: number, maximumKbps: number): { readonly adaptive?: AdaptivePlan } {
  if (!profile.bitrate.live) return {};
  const floorKbps = Math.min(minimumKbps, maximumKbps);
  const { name, controlId } = profile.bitrate;
  return {
    adaptive: {
      element: encoderName,
      property: name,
      ...(controlId === undefined ? {} : { controlId }),
      unitsPerKbps: bitrateIn(profile, 1),
      minimumKbps: floorKbps,
      maximumKbps,
    },
  };
}
