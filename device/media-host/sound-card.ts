/** Whether the microphone that is meant has its card's number: cards are numbered in the order of their coming. */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { readDeviceUsb } from '#device/media-host/camera-node.ts';
import type { SoundCard } from '#device/plan/pipeline-plan.ts';

/** Null: it has, as far as can be told; else why it is not to be opened. Another directory is for tests. */
export function whyNotAtCard(card: SoundCard | undefined, classes = '/sys/class/sound'): string | null {
  if (card === undefined) return null;
  const { number, usb } = card;
  try {
    const there = readDeviceUsb(dirname(realpathSync(`${classes}/card${number}/device`)));
    const isSame = there.port === usb.port && there.id === usb.id && there.serial === usb.serial;
    return isSame ? null : `it is not there any more: another one is sound card ${number} (USB ${there.id} at ${there.port})`;
  } catch {
    return 'it is not there any more';
  }
}
