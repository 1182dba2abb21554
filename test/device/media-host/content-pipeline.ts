/** Pipelines whose sound and picture are looked into, built by the planner's own parts. */
import * as capture from '#device/plan/capture.ts';

export const picture = { width: 320, height: 180, framesPerSecond: 30 };
export const use = { format: { rateHz: 16_000, bitsPerSecond: 64_000 }, hasProbe: true };

export function description(videoSource: string, audio: string): string {
  return [
    capture.muxer(new Set()),
    `${capture.elementPictures(videoSource, picture)} ! tee name=${capture.rawTee}`,
    `${capture.rawTee}. ! queue max-size-buffers=4 ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=30`,
    '! video/x-h264,profile=high ! h264parse ! queue ! mux.',
    capture.pictureProbe(),
    audio,
  ].join(' ');
}

export const moving = 'videotestsrc is-live=true pattern=smpte75 horizontal-speed=2';
