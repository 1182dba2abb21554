/** From settings, facts and profiles to the whole pipeline, as data. Pure and total: with no camera it plans the test picture. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';

export function planPipeline(_settings: ResolvedSettings, _hardware: DetectedHardware, _profile: ResolvedProfile): PipelinePlan {
  throw new Error('not built yet');
}

/** The plan for people and logs; it holds no secret. */
export function describePlan(plan: PipelinePlan): string {
  return plan.capture.description;
}
