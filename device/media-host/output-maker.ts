/** Which program serves which kind of output. */
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { RtmpOutput } from '#device/media-host/rtmp-output.ts';
import type { OutputPlan } from '#device/plan/pipeline-plan.ts';

export class OutputMaker {
  readonly #rtmpConnections = new RtmpConnectionPool();

  make(plan: OutputPlan, surroundings: OutputSurroundings): Output {
    switch (plan.kind) {
      case 'rtmp':
        return new RtmpOutput({ ...surroundings, plan, pool: this.#rtmpConnections });
      default:
        return plan.kind satisfies never;
    }
  }
}
