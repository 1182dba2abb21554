/** Small plans that any machine can run, as the planner writes them. */
import type { OutputPlan, PipelinePlan, PreviewPlan } from '#device/plan/pipeline-plan.ts';

export type Picture = { readonly width: number; readonly height: number };

export const testKey = 'a-secret-key';

export function captureDescription({ width, height }: Picture): string {
  return [
    'flvmux name=mux streamable=true latency=300000000 ! appsink name=tags sync=false max-buffers=1000',
    `videotestsrc is-live=true ! video/x-raw,format=I420,width=${width},height=${height},framerate=30/1 ! tee name=raw`,
    'raw. ! queue max-size-buffers=4 ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=30',
    '! video/x-h264,profile=high ! h264parse ! queue ! mux.',
    'raw. ! videorate drop-only=true ! video/x-raw,framerate=1/1 ! queue leaky=downstream max-size-buffers=1',
    '! appsink name=preview-pictures sync=false async=false max-buffers=1 drop=true',
    'audiotestsrc is-live=true ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! voaacenc bitrate=64000',
    '! audio/mpeg,mpegversion=4,stream-format=raw ! queue ! mux.',
  ].join(' ');
}

export type PlanParts = {
  readonly picture?: Picture;
  readonly description?: string;
  /** Null: nothing is set while it runs. */
  readonly bitrateKbps?: number | null;
  /** `rtmp://host:port/application`; none means no output. */
  readonly target?: string | null;
  /** Instead of the one to `target`. */
  readonly outputs?: readonly OutputPlan[];
  /** None means that nothing is recorded; without a directory it goes into the host's own. */
  /** As `previewPlan` makes it. */
  readonly preview?: PreviewPlan | null;
  readonly recording?: { readonly segmentS: number; readonly directory?: string } | null;
};

/** An output to the stream `name` of a relay of the tests, whose key is an argument beside its name. */
export function rtmpOutput(id: string, target: string, name: string): OutputPlan {
  return { id, kind: 'rtmp', target, location: `${target}/${name}?key=${testKey}` };
}

export function testPlan({
  picture = { width: 320, height: 180 },
  description,
  bitrateKbps = 300,
  target = null,
  outputs = target === null ? [] : [rtmpOutput('relay', target, 'dev-1')],
  recording = null,
  preview = null,
}: PlanParts): PipelinePlan {
  return {
    capture: {
      description: description ?? captureDescription(picture),
      source: { kind: 'test', id: 'test', label: 'Test picture' },
      encoder: 'x264enc',
      ...picture,
      framesPerSecond: 30,
      hasAudio: true,
    },
    live: bitrateKbps === null ? [] : [{ element: 'encoder', property: 'bitrate', value: bitrateKbps }],
    outputs: [...outputs, ...(recording === null ? [] : [recordingOutput(recording)])],
    ...(preview === null ? {} : { preview }),
  };
}

/** Of pictures as `captureDescription` gives them, one a second. */
export function previewPlan({ width, height }: Picture, encoding = 'jpegenc'): PreviewPlan {
  const pictures = `video/x-raw,format=I420,width=${width},height=${height},framerate=0/1`;
  const description = `appsrc name=pictures format=time is-live=true do-timestamp=true caps=${pictures} ! ${encoding} ! appsink name=preview sync=false`;
  return {
    ...{ id: 'preview', kind: 'preview', target: 'pictures for the dashboard' },
    intervalS: 1,
    encoder: { description, pictureBytes: (width * height * 3) / 2 },
    missing: null,
  };
}

function recordingOutput({ segmentS, directory = null }: { readonly segmentS: number; readonly directory?: string | null }): OutputPlan {
  return { id: 'recording', kind: 'recording', target: 'recordings', directory, segmentS };
}
