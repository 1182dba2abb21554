/** Which program serves which kind of output. */
import { IcecastOutput } from '#device/media-host/icecast-output.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { RecordingOutput } from '#device/media-host/recording-output.ts';
import { RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { RtmpOutput } from '#device/media-host/rtmp-output.ts';
import { VorbisEncoder } from '#device/media-host/vorbis-encoder.ts';
import type { OutputPlan } from '#device/plan/pipeline-plan.ts';

export class OutputMaker {
  readonly #rtmpConnections = new RtmpConnectionPool();
  /** Pipelines are never freed by the binding: at most as many exist as outputs ever ran at the same time. */
  readonly #idleEncoders: VorbisEncoder[] = [];
  readonly #recordingDirectory: string;

  /** Where recordings go whose plan names no directory. */
  constructor(recordingDirectory: string) {
    this.#recordingDirectory = recordingDirectory;
  }

  make(plan: OutputPlan, surroundings: OutputSurroundings): Output {
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
        return new RecordingOutput({ ...surroundings, plan, directory: plan.directory ?? this.#recordingDirectory });
      default:
        return plan satisfies never;
    }
  }
}
