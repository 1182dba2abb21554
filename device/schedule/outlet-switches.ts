/** What was switched by hand, stream and recording, and how long each holds. */
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import type { ApplyOutcome, MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { whenOutletIs } from '#device/schedule/outlet-outcome.ts';
import { OutletSwitch } from '#device/schedule/outlet-switch.ts';
import { type Outlet, streamBasis } from '#device/schedule/outlets.ts';
import type { SettingsKeeper } from '#device/settings/settings-keeper.ts';
import { errorText, type StateDirectory } from '#device/state/state-directory.ts';

export type OutletSwitches = { readonly [O in Outlet]: OutletSwitch };

export function outletSwitches(state: StateDirectory, clock: Clock, log: Log): OutletSwitches {
  const make = (outlet: Outlet, what: string) =>
    new OutletSwitch({
      outlet,
      state,
      clock,
      onDiskError: (cause) => log.warn(`cannot keep on disk that the ${what} was switched (${errorText(cause)})`),
    });
  return { stream: make('stream', 'stream'), record: make('record', 'recording') };
}

/** A switched recording ends with the next settings, whatever they are. */
export function recordBasis(keeper: Pick<SettingsKeeper, 'inForce'>): string {
  return `revision ${keeper.inForce().revision}`;
}

type SwitchedBy = {
  readonly switches: OutletSwitches;
  readonly keeper: Pick<SettingsKeeper, 'prepared' | 'inForce' | 'reconcile'>;
  readonly clock: Clock;
  readonly media: Pick<MediaHostSupervisor, 'onStatus'>;
};

export async function switchOutlet(outlet: Outlet, isOn: boolean, { switches, keeper, clock, media }: SwitchedBy): Promise<ApplyOutcome> {
  const outcome = whenOutletIs(outlet, isOn, { clock, onStatus: (listener) => media.onStatus(listener) });
  const { settings, schedule } = keeper.prepared();
  // What the settings do by themselves needs no switch: within its hours a started stream ends with them.
  const isPlain = outlet === 'stream' && isOn && schedule.allowed.stream;
  const basis = outlet === 'stream' ? streamBasis(settings) : recordBasis(keeper);
  const endsAtMs = outlet === 'stream' && isOn ? schedule.streamChangesAtMs : null;
  const kept = isPlain ? switches.stream.release() : switches[outlet].turn(isOn, basis, endsAtMs);
  keeper.reconcile();
  await kept;
  return outcome;
}
