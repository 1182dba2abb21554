/** Which program serves which kind of output. */
import type { Clock } from '#device/media/clock.ts';
import { IcecastOutput } from '#device/media-host/icecast-output.ts';
import { JpegEncoder } from '#device/media-host/jpeg-encoder.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { PreviewOutput } from '#device/media-host/preview-output.ts';
import { RecordingOutput } from '#device/media-host/recording-output.ts';
import { RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { RtmpOutput } from '#device/media-host/rtmp-output.ts';
import { VorbisEncoder } from '#device/media-host/vorbis-encoder.ts';
import type { PlannedOutput } from '#device/plan/pipeline-plan.ts';

export type OutputMakerOptions = {
  /** Where recordings go whose plan names no directory. */
  readonly recordingDirectory: string;
  readonly onPreview: (jpeg: Buffer) => void;
};

export class OutputMaker {
  readonly #rtmpConnections = new RtmpConnectionPool();
  /** Pipelines are never freed by the binding: at most as many exist as outputs ever ran at the same time. */
  readonly #idleEncoders: VorbisEncoder[] = [];
  /** By their descriptions: there is one preview output at a time, and another size comes with another capture. */
  readonly #jpegEncoders = new Map<string, JpegEncoder>();
  readonly #options: OutputMakerOptions;

  constructor(options: OutputMakerOptions) {
    this.#options = options;
  }

  make(plan: PlannedOutput, surroundings: OutputSurroundings): Output {
    switch (plan.kind) {
      case 'rtmp':
        return new RtmpOutput({ ...surroundings, plan, pool: this.#rtmpConnections });
      case 'icecast':
        return new IcecastOutput({
          ...surroundings,
          plan,
          acquireEncoder: () => this.#idleEncoders.pop() ?? new VorbisEncoder(),
          releaseEncoder: (encoder) => {
            encoder.stop();
            this.#idleEncoders.push(encoder);
          },
        });
      case 'recording':
        return new RecordingOutput({ ...surroundings, plan, directory: plan.directory ?? this.#options.recordingDirectory });
      case 'preview':
        return new PreviewOutput({
          ...surroundings,
          plan,
          onPreview: this.#options.onPreview,
          acquireEncoder: (description) => this.#jpegEncoder(description, surroundings.clock),
        });
      default:
        return plan satisfies never;
    }
  }

  #jpegEncoder(description: string, clock: Clock): JpegEncoder {
    const encoder = this.#jpegEncoders.get(description) ?? new JpegEncoder(description, clock);
    this.#jpegEncoders.set(description, encoder);
    return encoder;
  }
}
