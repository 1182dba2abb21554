/** The facts of a machine, with its encoders tried: which ones are worth trying, the board's profile says. `known`: of an earlier look. */
import { detectHardware } from '#device/detect/detect.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import type { DetectionTools } from '#device/detect/tools.ts';
import { type EncoderMemory, probeEncoders } from '#device/profile/probe-encoders.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { mediaDirectory } from '#device/state/media-directory.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';

export async function detectWithEncoders(
  tools: DetectionTools,
  profiles: HardwareProfiles,
  memory: EncoderMemory,
  stateDirectory: string,
  known: DetectedHardware | null = null,
): Promise<DetectedHardware> {
  const named = new Set(profiles.encoders.map(({ match }) => match.element));
  const hardware = await detectHardware(tools, known === null ? null : withoutFailures(known), named);
  const probed = await probeEncoders(hardware, resolveProfile(hardware, profiles).encoders, tools, memory);
  return { ...probed, mediaDirectory: mediaDirectory(stateDirectory) };
}

/** What did not start a while ago may start now: a driver came late, a permission was given. */
function withoutFailures(known: DetectedHardware): DetectedHardware {
  return { ...known, encoders: known.encoders.map(({ element, properties }) => ({ element, properties })) };
}
