/**
 * What of a device's report outlives the message. Pure.
 *
 * Kept as text, of a tenth of the objects: of a large fleet nobody looks at most reports for hours. What of it is in every list of devices
 * stands beside it.
 */
import type { Report } from '#protocol/messages.ts';

/** Nearly always the same each minute. How the device streams at the moment is in the register apart, and in its health every 10 s. */
export type LastingReport = Pick<Report, 'inventory' | 'settings' | 'source' | 'encoder' | 'appliedRevision' | 'capabilities'>;

export type KeptReport = {
  /** A LastingReport in JSON: the same text for the same content in the same order. */
  readonly text: string;
  readonly source: Report['source'];
  readonly boardName: string;
  /** The device's stream address is the one that this fleet gave to it. */
  readonly streamsHere: boolean;
  /** The settings under which it was so. */
  readonly appliedRevision: number;
};

/** `before`: answered itself where nothing is new in it. */
export function keptReport(report: LastingReport, before: KeptReport | null = null): KeptReport {
  const { inventory, settings, source, encoder, appliedRevision, capabilities } = report;
  const text = JSON.stringify({ inventory, settings, source, encoder, appliedRevision, capabilities } satisfies LastingReport);
  if (text === before?.text) return before;
  const streamsHere = settings['AV_STREAM_URL']?.level === 'relay';
  return { text, source, boardName: inventory.board.name, streamsHere, appliedRevision };
}

/** It was checked against its schema before it was kept. */
export function readReport(kept: KeptReport | null): LastingReport | null {
  return kept === null ? null : (JSON.parse(kept.text) as LastingReport);
}

/** As it stands in the store; an earlier version wrote the whole report. */
export function storedReport(text: string | null): KeptReport | null {
  return text === null ? null : keptReport(JSON.parse(text) as LastingReport);
}
