/** What the agent is given: everything of the machine that it does not do itself. */

import type { LogTail } from '#device/commands/log-tail.ts';
import type { Configuration } from '#device/configuration.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import type { Check } from '#device/doctor/check.ts';
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import type { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import type { ServiceManager } from '#device/service/service-manager.ts';
import type { StateDirectory } from '#device/state/state-directory.ts';
import type { Credentials } from '#device/uplink/credentials.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';
import type { BoardIdentity, Versions } from '#protocol/messages.ts';

/** What the agent asks of its media host. */
export type Media = Pick<
  MediaHostSupervisor,
  'start' | 'apply' | 'restartCapture' | 'restartHost' | 'picture' | 'gstreamerVersion' | 'onStatus' | 'onPreview' | 'onEvent' | 'stop'
>;

export type AgentOptions = {
  readonly configuration: Configuration;
  readonly state: StateDirectory;
  /** Null until the device has joined its fleet. */
  readonly credentials: Credentials | null;
  /** There were some, and they are lost for want of a join token: what this device was runs on. */
  readonly hasLostCredentials: boolean;
  /** What was found in their place and is another board's (uplink/copied-card.ts). */
  readonly copyOf: Credentials | null;
  /** Null: this board cannot be told from others. */
  readonly board: BoardIdentity | null;
  readonly media: Media;
  /** Anew, given what was found before. */
  readonly detect: (known: DetectedHardware | null) => Promise<DetectedHardware>;
  /** Changes when a camera or a sound card comes or goes. */
  readonly hardwareFingerprint: () => Promise<string>;
  /** Whether its clock is right, as far as the machine knows; null: it cannot tell. */
  readonly askMachineClock: () => Promise<boolean | null>;
  readonly profiles: HardwareProfiles;
  /** Profiles that are done without, because their files are wrong: file, field and reason. */
  readonly leftOutProfiles: readonly string[];
  readonly versions: Omit<Versions, 'gstreamer'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Null: nobody but a person looks after this process. */
  readonly service: Pick<ServiceManager, 'say' | 'pulse'> | null;
  /** Once: frames come, and the device has joined, if it is to belong to a fleet. */
  readonly onReady: (ready: AgentReady) => void;
  /** Ends this process in order, with the code that asks its supervisor for a new one. */
  readonly restartAgent: () => void;
  /** Null, or why the board is not restarted. Called only where AV_ALLOW_REBOOT is set. */
  readonly reboot: () => Promise<string | null>;
  /** What this agent has logged of late. */
  readonly logTail: Pick<LogTail, 'newest' | 'listen'>;
  /** What the doctor finds, beside the agent that runs. */
  readonly examine: (onCheck: (check: Check) => void) => Promise<readonly Check[]>;
};

export type AgentReady = {
  readonly deviceId: string | null;
  /** What is on air, in words. */
  readonly source: string;
};
