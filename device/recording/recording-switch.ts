/**
 * start-recording and stop-recording: what somebody at a desk wants, against the settings and their schedule. It holds until
 * the next settings are in force; restarts of the agent, the media host and the device leave it as it is, because a recording
 * must not end with a fault.
 */
import { Type } from 'typebox';
import { type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { Revision } from '#protocol/identifiers.ts';

const switchFile = stateFile('recording-switch.json', Type.Object({ isOn: Type.Boolean(), revision: Revision }));

export type RecordingSwitchOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write' | 'remove'>;
  readonly onDiskError: (cause: unknown) => void;
};

export class RecordingSwitch {
  readonly #options: RecordingSwitchOptions;
  #isOn: boolean | null = null;
  /** The settings against which it was switched. */
  #revision = 0;

  constructor(options: RecordingSwitchOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const kept = await this.#options.state.read(switchFile);
    if (kept === null) return;
    this.#isOn = kept.isOn;
    this.#revision = kept.revision;
  }

  /** Null: the settings decide. */
  wanted(): boolean | null {
    return this.#isOn;
  }

  /** Holds at once; resolves when it would survive a power cut, or the disk has refused. */
  turn(isOn: boolean, revision: number): Promise<void> {
    this.#isOn = isOn;
    this.#revision = revision;
    return this.#options.state.write(switchFile, { isOn, revision }).catch(this.#options.onDiskError);
  }

  /** True when it no longer holds: these settings are newer than it is. */
  settingsInForce(revision: number): boolean {
    if (this.#isOn === null || revision <= this.#revision) return false;
    this.#isOn = null;
    this.#options.state.remove(switchFile).catch(this.#options.onDiskError);
    return true;
  }
}
